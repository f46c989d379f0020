/**
 * What a bench is. It measures once a round, all that is compared one after the other; the runner
 * (main.ts) repeats the rounds, takes medians, holds them against the goals, and reports.
 */
import type { Postgres } from './databases.ts'

export interface Bench {
  /** As in `npm run bench -- <name>`. */
  name: string
  /** One line: what is counted, in which unit. */
  title: string
  /** Of the samples' values, the one that the plot shows. */
  plot: string
  goals: readonly Goal[]
  /** Takes so long that it runs, once, only where it is named. */
  apart?: true
  /** How often `round.tick` is called in a round. */
  ticks(scale: Scale): number
  measure(round: Round): Promise<Sample[]>
}

/** `small` is for CI: every bench within seconds, with figures of its own to be compared with. */
export type Scale = 'full' | 'small'

export interface Sample {
  /** What ran: 'Microchatter, PostgreSQL'. */
  server: string
  /** What it had to do: '32 in flight'. */
  load: string
  /** Name with unit → figure: { 'messages/s': 5100, 'ack p99 ms': 9.1 }. */
  values: Record<string, number>
}

/** What is measured, and what it is compared with. */
export type Pair = readonly [number, number]

export function toPair(of: number | undefined, to: number | undefined): Pair | undefined {
  return of === undefined || to === undefined ? undefined : [of, to]
}

export interface Goal {
  /** 'of the relay, 32 in flight'. */
  name: string
  better: 'higher' | 'lower'
  bound: number
  unit: '×' | '/s' | 'ms' | 's' | 'kB' | ''
  /** Out of the samples of one round: a figure, or a pair whose ratio counts; undefined where a part is not installed. */
  of(samples: readonly Sample[]): number | Pair | undefined
  /** A ratio that CI compares with the committed one. */
  guarded?: true
}

export interface Round {
  scale: Scale
  /** Measured seconds of each load. */
  seconds: number
  /** For a quick look: servers whose name does not have this are left out. */
  only?: string | undefined
  /** undefined: there is none on this machine. */
  postgres: Postgres | undefined
  /** Starts a server in a process of its own; it is stopped at the end of the round at the latest. */
  start(command: ServerCommand): Promise<Running>
  /** Runs at the end of the round, the last one first. */
  defer(close: () => Promise<void> | void): void
  /** For the progress line: what is at work now. */
  say(what: string): void
  tick(): void
}

export type ServerCommand =
  /** Microchatter as built, limits off, a JWT secret of its own, on a new database. */
  | { kind: 'microchatter'; database: 'postgres' | 'embedded'; settings?: Record<string, string> }
  /** A script of bench/peers/ or bench/floors/, which prints {"url":"…"} once it listens. */
  | { kind: 'script'; script: string; settings?: Record<string, string> }

export interface Running {
  url: string
  pid: number
  /** Signs users' tokens ('' for scripts). */
  secret: string
  /** Its PostgreSQL database; undefined on the embedded one. */
  databaseUrl: string | undefined
  stop(): Promise<void>
}
