/** A bar chart as SVG, readable on light and dark pages. */
import type { Row } from './report.ts'

const WIDTH = 720
const LABEL = 230
const BAR = 26
const GAP = 10
const TOP = 64
const GROUP = 34
const VALUES = 150

export function toSvg(rows: Row[], { title, note }: { title: string; note: string }): string {
  const windows = [...new Set(rows.map(({ window }) => window))]
  const servers = [...new Set(rows.map(({ server }) => server))]
  const most = Math.max(...rows.map(({ perSecond }) => perSecond))
  const parts: string[] = []
  let y = TOP
  for (const window of windows) {
    parts.push(text(16, y + 14, `${window} in flight`, 'group'))
    y += GROUP - GAP
    for (const row of rows.filter((one) => one.window === window)) {
      parts.push(bar(row, { y, most, colour: servers.indexOf(row.server) }))
      y += BAR + GAP
    }
    y += GAP
  }
  const height = y + 30
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">
<style>
  svg { font-family: system-ui, sans-serif; font-size: 14px; background: #fff; }
  text { fill: #1f2328; }
  .title { font-size: 17px; font-weight: 600; }
  .group { font-weight: 600; }
  .note { font-size: 12px; fill: #59636e; }
  .c0 { fill: #8c959f; } .c1 { fill: #1f6feb; } .c2 { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; }
    text { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .c0 { fill: #7d8590; } .c1 { fill: #58a6ff; } .c2 { fill: #3fb950; }
  }
</style>
${text(16, 30, title, 'title')}
${parts.join('\n')}
${text(16, height - 14, note, 'note')}
</svg>
`
}

function bar(row: Row, { y, most, colour }: { y: number; most: number; colour: number }): string {
  const width = Math.max(1, ((WIDTH - LABEL - VALUES) * row.perSecond) / most)
  const ratio = row.ratio === undefined ? '' : ` · ${Math.round(row.ratio * 100)} %`
  const value = `${Math.round(row.perSecond).toLocaleString('en')}/s${ratio}`
  const middle = y + BAR / 2 + 5
  return [
    text(32, middle, row.server),
    `<rect class="c${colour % 3}" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3"/>`,
    text(LABEL + width + 8, middle, value),
  ].join('\n')
}

function text(x: number, y: number, content: string, name?: string): string {
  const attribute = name === undefined ? '' : ` class="${name}"`
  return `<text${attribute} x="${x.toFixed(1)}" y="${y}">${escape(content)}</text>`
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
