/** How what is said in the demo gets into its chats: as calls do it, without the limits of calls. */
import { createHash } from 'node:crypto'
import type { OpenChatBody, SendBody } from '@microchatter/protocol'
import type { MessageAddress } from '../changes.ts'
import { markRead } from '../chats.ts'
import type { Sender } from '../content.ts'
import type { Core } from '../core.ts'
import { pairChat } from '../direct.ts'
import { ChatError } from '../errors.ts'
import { createGroup } from '../groups.ts'
import { onceByKey } from '../idempotency.ts'
import { storeMessage } from '../messages.ts'
import { setReaction } from '../reactions.ts'
import { type Cast, displayNameOf, isName, type Name, usernameOf } from './cast.ts'

/**
 * A line of a script is `anna: text`. `anna [tea]: text` names the message, `ben >tea: text` answers
 * it, and `ben ~tea: text` is in its thread. `@ben` in a text is a mention.
 */
const LINE = /^(\w+)(?: \[(\w+)\])?(?: ([>~])(\w+))?: (.+)$/

/** One chat, as it is being filled. */
export class Scene {
  readonly id: string
  readonly #core: Core
  readonly #cast: Cast
  readonly #seqs = new Map<string, number>()
  #said = 0
  #last = 0

  constructor(core: Core, cast: Cast, id: string) {
    this.#core = core
    this.#cast = cast
    this.id = id
  }

  /** Where the message is that has this name. */
  at(key: string): MessageAddress {
    const seq = this.#seqs.get(key)
    if (seq === undefined) throw new Error(`No message of the demo has the name "${key}"`)
    return { chatId: this.id, seq }
  }

  /** Plain lines go together, in one statement; the others have to know the numbers of those before. */
  async play(script: string): Promise<void> {
    const together: Promise<void>[] = []
    for (const line of script.trim().split('\n')) {
      const [, who = '', key, mark, ref, text = ''] = LINE.exec(line) ?? []
      if (!isName(who)) throw new Error(`Nobody in the demo says: ${line}`)
      const names = Array.from(text.matchAll(/@(\w+)/g), ([, name = '']) => name).filter(isName)
      if (mark === undefined && names.length === 0) {
        together.push(this.say(who, { body: text }, key))
        continue
      }
      await Promise.all(together.splice(0))
      const seq = ref === undefined ? undefined : this.at(ref).seq
      await this.say(
        who,
        {
          body: named(text, names),
          ...(seq !== undefined && (mark === '>' ? { reply: seq } : { thread: seq })),
          ...(names.length > 0 && { mentions: names.map(usernameOf) }),
        },
        key,
      )
    }
    await Promise.all(together)
  }

  /** [SEND-3] Played again, after half of it was lost, it is the same message. */
  async say(who: Name | Sender, message: SendBody, key?: string): Promise<void> {
    const sender = typeof who === 'string' ? this.#cast[who] : who
    const clientId = this.#clientId(key ?? String(this.#said))
    this.#said += 1
    const { seq } = await storeMessage(this.#core, sender, {
      ...message,
      clientId,
      chatId: this.id,
    })
    if (key !== undefined) this.#seqs.set(key, seq)
    this.#last = Math.max(this.#last, seq)
  }

  /** Whether it was said before; it may have been edited since. */
  async has(who: Name, key: string): Promise<boolean> {
    const clientId = this.#clientId(key)
    try {
      const draft = { chatId: this.id, sender: this.#cast[who], clientId, body: '' }
      return (await this.#core.writer.sent(draft)) !== undefined
    } catch (error) {
      if (error instanceof ChatError && error.code === 'client_id_reused') return true
      throw error
    }
  }

  #clientId(key: string): string {
    return uuidOf(`${this.id} ${key}`)
  }

  async react(key: string, emoji: string, ...names: Name[]): Promise<void> {
    const reacting = { ...this.at(key), emoji, on: true }
    for (const name of names) await setReaction(this.#core, this.#cast[name], reacting)
  }

  /** Up to the message of this name, or all. */
  async read(who: Name, key?: string): Promise<void> {
    const seq = key === undefined ? this.#last : this.at(key).seq
    await markRead(this.#core, this.#cast[who], this.id, { seq })
  }
}

export class Stage {
  readonly core: Core
  readonly cast: Cast

  constructor(core: Core, cast: Cast) {
    this.core = core
    this.cast = cast
  }

  async direct(one: Name, other: Name | { id: number }): Promise<Scene> {
    const { id: otherId } = typeof other === 'string' ? this.cast[other] : other
    return this.#scene(await pairChat(this.core, { userId: this.cast[one].id, otherId }))
  }

  /** The first of the members owns it. */
  async group(names: Name[], about: Omit<OpenChatBody, 'kind' | 'members'>): Promise<Scene> {
    const [owner = 'anna', ...others] = names
    const actor = this.cast[owner]
    const body = { ...about, kind: 'group' as const, members: others.map(usernameOf) }
    const ids = Object.values(this.cast).map(({ id }) => id)
    const key = uuidOf(`${about.title} ${ids.join()}`)
    const once = onceByKey(this.core.db, actor, { key, request: body })
    return this.#scene((await createGroup(this.core, actor, body, once)).id)
  }

  #scene(chatId: string): Scene {
    return new Scene(this.core, this.cast, chatId)
  }
}

/** As clients write a mention: an @ and the name that is shown. */
function named(text: string, names: readonly Name[]): string {
  return names.reduce((said, name) => said.replaceAll(`@${name}`, `@${displayNameOf(name)}`), text)
}

function uuidOf(name: string): string {
  const hex = createHash('sha256').update(`microchatter demo ${name}`).digest('hex')
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ]
  return [...parts, hex.slice(20, 32)].join('-')
}
