CREATE TABLE students (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  document text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT students_document_unique UNIQUE (document),
  CONSTRAINT students_document_digits CHECK (document ~ '^[0-9]{11}$'),
  CONSTRAINT students_name_length CHECK (char_length(name) BETWEEN 1 AND 120)
);
