import { parseArgs } from 'node:util'
import type { Scale } from './bench.ts'

export const USAGE = `npm run bench -- [names] [options]
  names           of benches; without any, all but those that take an hour
  --rounds <n>    1 to 9 (3); medians are taken over them
  --seconds <n>   measured seconds of each load, 1 to 600 (5)
  --only <part>   only servers whose name has this in it; nothing is written then
  --list          names and titles of all benches

npm run bench:small -- [names] [--write]
  a short run that fails where a ratio is much worse than in results/small.json
  --write         writes that file, of three rounds
`
const SECONDS: Record<Scale, string> = { full: '5', small: '1' }

export interface Options {
  names: string[]
  rounds: number
  seconds: number
  scale: Scale
  only: string | undefined
  isWriting: boolean
}

export function readOptions(): Options | 'help' | 'list' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: text,
      seconds: text,
      only: text,
      small: flag,
      write: flag,
      list: flag,
      help: flag,
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const scale = values.small ? 'small' : 'full'
  if (values.write && scale === 'full') throw new Error('--write goes with --small')
  return {
    names: positionals,
    rounds: whole('rounds', values.rounds ?? '3', [1, 9]),
    seconds: whole('seconds', values.seconds ?? SECONDS[scale], [1, 600]),
    scale,
    only: values.only,
    isWriting: values.write ?? false,
  }
}

export function whole(name: string, value: string, [least, most]: [number, number]): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new Error(`--${name} must be a whole number from ${least} to ${most}`)
}
