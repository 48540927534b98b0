type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An SVG element around content that is SVG already; attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escapeXml(typeof value === "number" ? rounded(value) : value)}"`],
  );
  return `<${name}${written.join("")}>${content}</${name}>`;
}

/** The same around text, which is hostile: nothing of it can become an element, an entity or a reference. */
export function textElement(attributes: Attributes, text: string): string {
  return element("text", attributes, escapeXml(text));
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
