/** One picture or table of a page. */
export interface Figure {
  readonly title: string;
  /** What it shows and how to read it, plain text. @default '' */
  readonly note?: string;
  readonly content:
    | { readonly svg: string }
    | { readonly png: Uint8Array; readonly alt: string }
    | {
        readonly rows: readonly (readonly (string | number)[])[];
        readonly head: readonly string[];
      };
}

/** What a page of HTML says, in its order. */
export interface Page {
  readonly title: string;
  /** What a reader must know before all else, plain text, one paragraph each. @default none */
  readonly caution?: readonly string[];
  /** Plain text under the title, one paragraph each. */
  readonly intro: readonly string[];
  readonly figures: readonly Figure[];
}

const style = `
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; }
p { max-width: 48rem; } .note { color: #666; }
.caution { border-left: 4px solid #d55e00; padding-left: .8rem; font-weight: 600; }
svg, img { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #eee; }
th.text, td.text { text-align: left; }
td { white-space: nowrap; } .table { overflow-x: auto; }
`;

/** One HTML file that needs nothing else: pictures are inside it, no script, no request. */
export function toPage({ title, caution = [], intro, figures }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${caution.map((paragraph) => `<p class="caution">${escapeHtml(paragraph)}</p>`).join('\n')}
${intro.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')}
${figures.map(toSection).join('\n')}
</body>
</html>
`;
}

function toSection({ title, note = '', content }: Figure): string {
  const noted = note === '' ? '' : `<p class="note">${escapeHtml(note)}</p>`;
  return `<section>
<h2>${escapeHtml(title)}</h2>
${noted}
${toContent(content)}
</section>`;
}

function toContent(content: Figure['content']): string {
  if ('svg' in content) return content.svg;
  if ('png' in content) {
    const base64 = Buffer.from(content.png).toString('base64');
    return `<img alt="${escapeHtml(content.alt)}" src="data:image/png;base64,${base64}">`;
  }
  const line = (cells: readonly (string | number)[], tag: 'td' | 'th', texts: readonly boolean[]) =>
    `<tr>${cells
      .map((cell, column) => {
        const kind = texts[column] === true ? ' class="text"' : '';
        return `<${tag}${kind}>${escapeHtml(String(cell))}</${tag}>`;
      })
      .join('')}</tr>`;
  const isText = content.head.map((_, column) =>
    content.rows.some((row) => /\p{L}/u.test(String(row[column] ?? ''))),
  );
  const head =
    content.head.length === 0 ? '' : `<thead>${line(content.head, 'th', isText)}</thead>`;
  return `<div class="table"><table>${head}<tbody>${content.rows.map((row) => line(row, 'td', isText)).join('\n')}</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
