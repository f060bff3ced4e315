/** Turns the Markdown that goci's own summaries use into HTML; what it does not know stays text. */
export function renderMarkdown(markdown: string): string {
  const html: string[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const fence = /^(`{3,})(\w*)/.exec(line);
    if (fence) {
      const end = lines.findIndex((other, index) => index > i && other.startsWith(fence[1] ?? "```"));
      const stop = end < 0 ? lines.length : end;
      // The page draws its own charts.
      if (fence[2] !== "mermaid") html.push(`<pre>${escapeHtml(lines.slice(i + 1, stop).join("\n"))}</pre>`);
      i = stop;
    } else if (line.startsWith("|")) {
      const rows = [];
      while (lines[i]?.startsWith("|")) rows.push(lines[i++] ?? "");
      i--;
      html.push(renderTable(rows));
    } else if (/^#{1,6} /.test(line)) {
      html.push(`<h4>${inline(line.replace(/^#+ /, ""))}</h4>`);
    } else if (/^\s*[-*] /.test(line)) {
      html.push(`<li>${inline(line.replace(/^\s*[-*] /, ""))}</li>`);
    } else if (/^<details><summary>.*<\/summary>$/.test(line.trim())) {
      html.push(`<details><summary>${inline(line.trim().slice(18, -10))}</summary>`);
    } else if (/^<\/?details>$/.test(line.trim())) {
      html.push(line.trim());
    } else if (/^<summary>.*<\/summary>$/.test(line.trim())) {
      html.push(`<summary>${inline(line.trim().slice(9, -10))}</summary>`);
    } else if (line.trim() !== "") {
      html.push(`<p>${inline(line)}</p>`);
    }
  }
  return html.join("\n");
}

/** Escapes text for HTML; entities that are there already stay. */
export function escapeHtml(text: string): string {
  return text
    .replace(/&(?!(#\d+|amp|lt|gt|quot);)/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

function inline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/(^|\s)_([^_]+)_(?=\s|$)/g, "$1<em>$2</em>");
}

function renderTable(rows: readonly string[]): string {
  const cells = (row: string) =>
    row
      .replace(/^\||\|\s*$/g, "")
      .split("|")
      .map((cell) => inline(cell.trim()));
  const [head = "", , ...body] = rows;
  const line = (row: string, tag: string) =>
    `<tr>${cells(row)
      .map((cell) => `<${tag}>${cell}</${tag}>`)
      .join("")}</tr>`;
  return `<table>${line(head, "th")}${body.map((row) => line(row, "td")).join("")}</table>`;
}
