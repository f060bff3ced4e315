ALTER TABLE students
  ADD COLUMN registration text,
  ADD COLUMN email text,
  ADD CONSTRAINT students_registration_unique UNIQUE (registration),
  ADD CONSTRAINT students_registration_form CHECK (registration ~ '^[A-Za-z0-9-]{1,20}$'),
  ADD CONSTRAINT students_email_length CHECK (char_length(email) <= 254);
