/** The tokens of moment.js that rules use, the longest first; text in square brackets is kept. */
const TOKENS = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DDDD|DDD|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x/g;

/** A date in a format of moment.js, for example `YYYYMMDD-HHmmss`; `zone` is an IANA name. Throws a RangeError for an unknown zone. */
export function formatDate(date: Date, format: string, zone = "UTC"): string {
  const parts = partsIn(date, zone);
  return format.replace(TOKENS, (token, kept: string | undefined) => kept ?? fieldOf(token, date, parts));
}

type Parts = Readonly<Record<"year" | "month" | "day" | "hour" | "minute" | "second" | "weekday", string>>;

function partsIn(date: Date, timeZone: string): Parts {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    weekday: "long",
  });
  const found = Object.fromEntries(format.formatToParts(date).map((part) => [part.type, part.value]));
  const get = (name: string) => found[name] ?? "";
  return {
    year: get("year").padStart(4, "0"),
    month: get("month"),
    day: get("day"),
    hour: get("hour"),
    minute: get("minute"),
    second: get("second"),
    weekday: get("weekday"),
  };
}

const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

function fieldOf(token: string, date: Date, parts: Parts): string {
  const hour = Number(parts.hour);
  const twelve = String(hour % 12 === 0 ? 12 : hour % 12);
  const month = MONTHS[Number(parts.month) - 1] ?? "";
  const fields: Readonly<Record<string, string>> = {
    YYYY: parts.year,
    YY: parts.year.slice(-2),
    MMMM: month,
    MMM: month.slice(0, 3),
    MM: parts.month,
    M: String(Number(parts.month)),
    DDDD: String(dayOfYear(parts)).padStart(3, "0"),
    DDD: String(dayOfYear(parts)),
    DD: parts.day,
    D: String(Number(parts.day)),
    dddd: parts.weekday,
    ddd: parts.weekday.slice(0, 3),
    HH: parts.hour,
    H: String(hour),
    hh: twelve.padStart(2, "0"),
    h: twelve,
    mm: parts.minute,
    m: String(Number(parts.minute)),
    ss: parts.second,
    s: String(Number(parts.second)),
    SSS: String(date.getTime() % 1000).padStart(3, "0"),
    A: hour < 12 ? "AM" : "PM",
    a: hour < 12 ? "am" : "pm",
    X: String(Math.floor(date.getTime() / 1000)),
    x: String(date.getTime()),
  };
  return fields[token] ?? token;
}

function dayOfYear(parts: Parts): number {
  const year = Number(parts.year);
  const start = Date.UTC(year, 0, 0);
  return Math.round((Date.UTC(year, Number(parts.month) - 1, Number(parts.day)) - start) / 86_400_000);
}
