/** Results as tables, for a terminal and for results/README.md. */
import type { Sample } from './bench.ts'
import type { GoalResult, Result } from './results.ts'

export function sampleTable(samples: readonly Sample[]): string[][] {
  const names = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))]
  const loads = [...new Set(samples.map(({ load }) => load))]
  const ordered = loads.flatMap((load) => samples.filter((sample) => sample.load === load))
  const rows = ordered.map(({ server, load, values }) => [
    load,
    server,
    ...names.map((name) => figure(values[name])),
  ])
  return [['load', 'server', ...names], ...rows]
}

/** `plot`: what the parts of a ratio count. */
export function goalTable(
  goals: readonly (GoalResult & { bench: string; plot: string })[],
): string[][] {
  const rows = goals.map((goal) => [
    goal.bench,
    goal.name,
    `${goal.better === 'higher' ? '≥' : '≤'} ${withUnit(goal.bound, goal.unit)}`,
    withUnit(goal.value, goal.unit),
    absoluteOf(goal),
    goal.rounds.map(figure).join(', '),
    goal.met ? 'met' : '**not met**',
  ])
  return [['bench', 'goal', 'bound', 'measured', 'absolute here', 'rounds', ''], ...rows]
}

/** A ratio's two parts; what is no ratio is absolute already. */
function absoluteOf({ parts, plot, value, unit }: GoalResult & { plot: string }): string {
  if (!parts) return withUnit(value, unit)
  return `${figure(parts[0])} to ${figure(parts[1])} ${plot}`
}

export function toText(table: readonly string[][]): string {
  const widths = widthsOf(table)
  return table
    .map((row) =>
      row
        .map((cell, column) => padded(cell, column, widths))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .replaceAll('**', '')
}

export function toMarkdown(table: readonly string[][]): string {
  const [head = [], ...rows] = table
  const rule = head.map((_, column) => (column < 2 ? '---' : '---:'))
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function widthsOf(table: readonly string[][]): number[] {
  return (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  )
}

function padded(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return column < 2 ? cell.padEnd(width) : cell.padStart(width)
}

/** Three digits that count, or all of a whole number. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return ''
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

function withUnit(value: number, unit: string): string {
  return unit === '/s' ? `${figure(value)}/s` : `${figure(value)} ${unit}`.trimEnd()
}

/** All of bench/results/*.json as one page. */
export function toPage(results: readonly Result[]): string {
  const goals = results.flatMap(({ bench, plot, goals }) =>
    goals.map((goal) => ({ bench, plot, ...goal })),
  )
  return `# Results

Made by \`npm run bench\` of the JSON files beside it; ../README.md says how to read it. A ratio is
taken within each round, beside what it is compared with; a figure is the median of its rounds.

## Goals

${toMarkdown(goalTable(goals))}

${results.map(section).join('\n\n')}
`
}

function section(result: Result): string {
  const { bench, title, medians } = result
  const plot = isComparison(result) ? `![${title}](${bench}.svg)\n\n` : ''
  return `## ${bench}\n\n${title}.\n\n${plot}${toMarkdown(sampleTable(medians))}\n\n${circumstances(result)}`
}

/** One bar alone shows nothing. */
export function isComparison({ medians, plot }: Pick<Result, 'medians' | 'plot'>): boolean {
  return medians.filter(({ values }) => values[plot] !== undefined).length > 1
}

export function shortly({ machine, versions, options, date }: Result): string {
  const { node, postgres = 'none' } = versions
  return `median of ${options.rounds}; ${machine.cores} cores for all of it, Node ${node}, PostgreSQL ${postgres}; ${date.slice(0, 10)}`
}

function circumstances(result: Result): string {
  const { machine, versions, postgres, options, loadBefore, date } = result
  const of = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const durable =
    postgres === 'none'
      ? []
      : [
          Object.entries(postgres)
            .map(([name, value]) => `${name} = ${value}`)
            .join(', '),
        ]
  return [
    `${date.slice(0, 10)}; ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.os}`,
    of.join(', '),
    ...durable,
    `rounds: ${options.rounds}, seconds of each load: ${options.seconds}, load before ${figure(loadBefore)}`,
  ].join('; ')
}
