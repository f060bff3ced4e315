/** Either the words of a command line, or why it cannot be run without a shell. */
export type Words =
  | { readonly ok: true; readonly words: readonly [string, ...string[]] }
  | { readonly ok: false; readonly problem: string };

const OPERATORS = new Set(["&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1"]);

/**
 * Splits one program line into words as a POSIX shell does (quotes and
 * backslashes), without anything else that a shell does: what would need one
 * is refused instead of being passed on as an argument.
 */
export function splitWords(line: string): Words {
  if (/[\r\n]/.test(line.trim())) return refuse("it has several lines");
  const scan = scanWords(line.trim());
  if (!scan) return refuse("a quote is not closed");
  const [first, ...rest] = scan;
  if (!first) return refuse("it is empty");
  const operator = scan.find((word) => !word.quoted && OPERATORS.has(word.text));
  if (operator) return refuse(`it holds \`${operator.text}\``);
  if (/^[A-Za-z_]\w*=/.test(first.text)) return refuse("it starts with an assignment");
  return { ok: true, words: [first.text, ...rest.map((word) => word.text)] };
}

function refuse(why: string): Words {
  return { ok: false, problem: `${why}, and it runs without a shell: write \`sh -c '...'\`` };
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

function scanWords(line: string): Word[] | undefined {
  const words: Word[] = [];
  let text = "";
  let isOpen = false;
  let quoted = false;
  let quote = "";
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? "";
    if (quote !== "'" && char === "\\") {
      const next = line[index + 1] ?? "";
      // Inside double quotes a backslash is special only before these.
      if (quote === '"' && !'"\\$`'.includes(next)) text += char;
      else {
        text += next;
        index++;
      }
      isOpen = quoted = true;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else text += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      isOpen = quoted = true;
    } else if (/\s/.test(char)) {
      if (isOpen) words.push({ text, quoted });
      text = "";
      isOpen = quoted = false;
    } else {
      text += char;
      isOpen = true;
    }
  }
  if (quote !== "") return undefined;
  if (isOpen) words.push({ text, quoted });
  return words;
}

/**
 * A text that is longer than `most` characters, cut where a word or a quoted value ends: half a secret would no
 * longer be known as one.
 */
export function cutAtWord(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).replace(/[^\s"']*$/, "")}…` : text;
}
