/** Levels from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Extra facts of a line; the names `time`, `level` and `msg` are taken. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A structured log: one JSON object a line. */
export type Log = Readonly<Record<LogLevel, (msg: string, fields?: LogFields) => void>>;

/** What a log is made of; the clock and the output are parameters so that tests need neither. */
export type LogOptions = Readonly<{
  level: LogLevel;
  write: (line: string) => void;
  now: () => Date;
  /** Values that must never appear; ones shorter than 4 characters would mangle innocent text. */
  secrets?: readonly string[];
}>;

const MASK = "***";
const SHORTEST_SECRET = 4;

/** Makes a log. Lines under `level` cost one comparison. */
export function createLog(options: LogOptions): Log {
  const threshold = LOG_LEVELS.indexOf(options.level);
  // A password with quotes or backslashes stands in the line in its JSON form.
  const secrets = (options.secrets ?? [])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const at = (level: LogLevel) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return () => {};
    return (msg: string, fields?: LogFields): void => {
      let line = JSON.stringify({ time: options.now().toISOString(), level, msg, ...fields });
      for (const secret of secrets) if (line.includes(secret)) line = line.replaceAll(secret, MASK);
      options.write(`${line}\n`);
    };
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
