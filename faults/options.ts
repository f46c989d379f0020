import { parseArgs } from 'node:util'
import { whole } from '../bench/options.ts'
import { BROKEN } from './broken.ts'
import { FAULTS } from './kinds.ts'

export const USAGE = `npm run test:faults -- [options]
  --faults <n>    how many, 0 to 5,000 (32)
  --messages <n>  sent around each, 1 to 100,000 (250)
  --users <n>     2 to 500 (16), --devices <n>  at least as many (24)
  --seed <n>      the same faults again; without it, by chance
  --stage <n>     one of the stages alone: how a failure is run again
  --only <ids>    faults, e.g. F1,F10b
  --broken <name> all (the default), none, or one of ${BROKEN.map(({ name }) => name).join(', ')}
  --write         writes docs/trust/ (a campaign)
  --list          all kinds of faults
`

export interface Options {
  faults: number
  messages: number
  users: number
  devices: number
  seed: number
  stage: number | undefined
  only: string[]
  broken: string
  isWriting: boolean
}

export function readOptions(): Options | 'help' | 'list' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: {
      faults: text,
      messages: text,
      users: text,
      devices: text,
      seed: text,
      stage: text,
      only: text,
      broken: text,
      write: flag,
      list: flag,
      help: flag,
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const broken = values.broken ?? 'all'
  const names = ['all', 'none', ...BROKEN.map(({ name }) => name)]
  if (!names.includes(broken)) throw new Error(`--broken must be one of ${names.join(', ')}`)
  const users = whole('users', values.users ?? '16', [2, 500])
  return {
    faults: whole('faults', values.faults ?? '32', [0, 5_000]),
    messages: whole('messages', values.messages ?? '250', [1, 100_000]),
    users,
    devices: whole('devices', values.devices ?? String(Math.ceil(1.5 * users)), [users, 2_000]),
    seed: whole('seed', values.seed ?? String(1 + Math.floor(Math.random() * 1e9)), [
      1,
      2 ** 31 - 1,
    ]),
    stage: values.stage === undefined ? undefined : whole('stage', values.stage, [0, 5_000]),
    only: values.only?.split(',') ?? [],
    broken,
    isWriting: values.write ?? false,
  }
}

export function listFaults(): string {
  return FAULTS.map(({ id, name, on }) => `${id.padEnd(6)}${name} (${on.join(', ')})`).join('\n')
}
