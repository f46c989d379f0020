/** What a run showed: a table for the terminal; of a campaign, docs/trust with its plot and figures. */
import { readFileSync, writeFileSync } from 'node:fs'
import { machine } from '../bench/machine.ts'
import { figure, toMarkdown, toText } from '../bench/report.ts'
import { median } from '../bench/results.ts'
import { postgresVersion } from './cluster.ts'
import { FAULTS } from './kinds.ts'
import type { Options } from './options.ts'
import { toSvg } from './plot.ts'
import type { Struck } from './stage.ts'

const FOLDER = new URL('../docs/trust/', import.meta.url)
const BEGIN = '<!-- Below: written by `npm run test:faults -- --write`. -->'

/** A server that is broken on purpose, and what gave it away; `by` empty: nothing did. */
export interface Caught {
  name: string
  title: string
  by: string
  /** How many faults it took. */
  faults: number
}

export interface Report {
  options: Options
  struck: readonly Struck[]
  caught: readonly Caught[]
  minutes: number
}

/** Of one kind of fault, or of all. */
export interface Summary {
  id: string
  name: string
  faults: number
  sent: number
  acknowledged: number
  repeated: number
  /** Violations by what they mean to people. */
  lost: number
  doubled: number
  reordered: number
  gaps: number
  other: number
  /** Median and most, ms. */
  ready: [number, number]
  settled: [number, number]
}

const MEANING: Record<string, 'lost' | 'doubled' | 'reordered' | 'gaps'> = {
  I1: 'lost',
  I3: 'doubled',
  I4: 'gaps',
  I5: 'reordered',
  I6: 'reordered',
}

function summarise(struck: readonly Struck[]): Summary[] {
  const kinds = FAULTS.flatMap(({ id, name }) => {
    const of = struck.filter(({ fault }) => fault === id)
    return of.length === 0 ? [] : [summaryOf(id, name, of)]
  })
  return [...kinds, summaryOf('all', '', struck)]
}

function summaryOf(id: string, name: string, struck: readonly Struck[]): Summary {
  const sum = (of: (one: Struck) => number) => struck.reduce((total, one) => total + of(one), 0)
  const count = (meaning: string) =>
    sum(({ violations }) => violations.filter(({ rule }) => meaningOf(rule) === meaning).length)
  return {
    id,
    name,
    faults: struck.length,
    sent: sum(({ sent }) => sent),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    repeated: sum(({ repeated }) => repeated),
    lost: count('lost'),
    doubled: count('doubled'),
    reordered: count('reordered'),
    gaps: count('gaps'),
    other: count('other'),
    ready: medianAndMost(struck.map(({ readyMs }) => readyMs ?? Number.NaN)),
    settled: medianAndMost(struck.map(({ settledMs }) => settledMs)),
  }
}

function meaningOf(rule: string): string {
  return MEANING[rule] ?? 'other'
}

function medianAndMost(values: readonly number[]): [number, number] {
  return [median(values), Math.max(...values)]
}

const HEAD = [
  'fault',
  'what happens',
  'times',
  'sent',
  'acknowledged',
  'sent again',
  'lost',
  'doubled',
  'reordered',
  'seq gaps',
  'other',
  'ready after ms (median, most)',
  'all equal after ms (median, most)',
]

function rowsOf(struck: readonly Struck[]): string[][] {
  const rows = summarise(struck).map((one) => [
    one.id,
    one.name,
    ...[one.faults, one.sent, one.acknowledged, one.repeated].map(figure),
    ...[one.lost, one.doubled, one.reordered, one.gaps, one.other].map(String),
    one.ready.map(figure).join(', '),
    one.settled.map(figure).join(', '),
  ])
  return [HEAD, ...rows]
}

export function toTable(struck: readonly Struck[]): string {
  return toText(rowsOf(struck))
}

export async function writeReport(report: Report): Promise<void> {
  const { options, struck, caught } = report
  const summaries = summarise(struck)
  writeFileSync(new URL('campaign.svg', FOLDER), await toSvg(summaries))
  const rows = struck.map((one) => ({
    ...one,
    violations: one.violations.map(({ rule, text }) => ({ rule, text })),
  }))
  const { seed, messages, users, devices } = options
  const about = await circumstances()
  const figures = { seed, messages, users, devices, ...about, caught, struck: rows }
  writeFileSync(new URL('campaign.json', FOLDER), `${JSON.stringify(figures, undefined, 1)}\n`)
  const page = new URL('README.md', FOLDER)
  const [prose = ''] = readFileSync(page, 'utf8').split(BEGIN)
  writeFileSync(page, `${prose}${BEGIN}\n\n${section(report, about)}`)
}

function section(
  { options, struck, caught, minutes }: Report,
  { date, cores, cpu, memoryGb, os, node, postgres }: Circumstances,
): string {
  const { seed, messages, users, devices } = options
  const all = summarise(struck).at(-1) as Summary
  const brokenRows = caught.map(({ title, by, faults }) => [
    title,
    by === '' ? '**not caught**' : by,
    String(faults),
  ])
  return `${figure(all.faults)} faults, ${figure(all.acknowledged)} messages acknowledged:
**${all.lost} lost, ${all.doubled} doubled, ${all.reordered} reordered, ${all.gaps} gaps in seq**, ${all.other} other violations.

![Time until the server is ready again, and until all clients equal a fresh fetch](campaign.svg)

${toMarkdown(rowsOf(struck))}

Servers that are broken on purpose, each of which has to be caught:

${toMarkdown([['a server that', 'is caught by', 'after faults'], ...brokenRows])}

${date}; seed ${seed}; ${messages} messages around each fault, ${users} users with ${devices} devices;
${figure(minutes)} minutes; ${cores} × ${cpu}, ${memoryGb} GB, ${os}; Node ${node}, PostgreSQL ${postgres}. The same faults again:
\`npm run test:faults -- --faults ${all.faults} --messages ${messages} --users ${users} --devices ${devices} --seed ${seed}\`.
`
}

type Circumstances = Awaited<ReturnType<typeof circumstances>>

async function circumstances() {
  return {
    date: new Date().toISOString().slice(0, 10),
    ...machine(),
    node: process.versions.node,
    postgres: await postgresVersion(),
  }
}
