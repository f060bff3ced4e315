/** The parts of a connection that `database-env` can name. */
export const DATABASE_PARTS = ["host", "port", "user", "password", "database", "url"] as const;
