/** Two people whom anyone may be, in a mailbox that has all there is. Not in production. */
import type { Core } from './core.ts'
import { enterCast, findActor } from './demo/cast.ts'
import { playAll } from './demo/scenes.ts'
import { Stage } from './demo/stage.ts'
import { ChatError } from './errors.ts'
import { logIn, type SignToken } from './sessions.ts'

/** The others only write to them. */
const PLAYERS = ['anna', 'ben'] as const
type Player = (typeof PLAYERS)[number]

export class Demo {
  readonly #core: Core
  #ready: Promise<void> | undefined

  constructor(core: Core) {
    this.#core = core
  }

  /** A token of `anna` or `ben`. The first one fills their mailboxes. @throws not_found, forbidden */
  async token(
    name: string,
    by: { sign: SignToken; userAgent: string | undefined; address: string },
  ): Promise<string> {
    const player = PLAYERS.find((one) => one === name)
    if (!player)
      throw new ChatError('not_found', { detail: `The demo has ${PLAYERS.join(' and ')}` })
    const actor = { ...(await this.#actorOf(player)), address: by.address }
    return (await logIn(this.#core, actor, by)).token
  }

  async #actorOf(name: Player) {
    await this.#fill()
    const actor = await findActor(this.#core, name)
    if (actor) return actor
    // An admin has deleted it: the next call makes another one.
    this.#ready = undefined
    throw new ChatError('not_found', { detail: 'The account was deleted; load the page again' })
  }

  /** Once; after a failure, what is missing. */
  #fill(): Promise<void> {
    this.#ready ??= fill(this.#core).catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }
}

async function fill(core: Core): Promise<void> {
  const stage = new Stage(core, await enterCast(core))
  const two = await stage.direct('anna', 'ben')
  // What is said last was said: all is there.
  if (await two.has('ben', 'end')) return
  await playAll(stage, two)
}
