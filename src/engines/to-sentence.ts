/** A runtime's message as one short line, without the paths of its own sources. */
export function toSentence(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text
    .replaceAll(/\S*\/\S*/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
}
