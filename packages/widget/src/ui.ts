/** What the parts of one element share: the client, the language, and the way to say or ask something. */
import type { Chat, Client, Features, Member, Message, Presence, Value } from '@microchatter/client'
import type { Format } from './format.ts'
import type { Texts } from './texts/en.ts'

export interface MenuItem {
  text: string
  onChoose(): unknown
  isDanger?: boolean
}

export interface Side {
  kind: 'details' | 'search' | 'thread'
  /** Of the message that the thread is of. */
  seq?: number
}

/** What a part may ask of the element that it is in. */
export interface Ui {
  client: Client
  t: Texts
  format: Format
  features: Features
  /** Where reports go, or none are taken. */
  reportUrl: string | undefined
  people: People
  /** Shows what went wrong. */
  run(work: Promise<unknown>): void
  say(text: string): void
  /** Yes or no. */
  ask(question: string, yes: string): Promise<boolean>
  /** With `onReact`, the usual reactions stand above it. */
  menu(
    at: Element | { x: number; y: number },
    items: MenuItem[],
    onReact?: (emoji: string) => void,
  ): void
  emoji(at: Element, onChoose: (emoji: string) => void): void
  dialog(kind: DialogKind, chat?: Chat, message?: Message): void
  show(image: { url: string; name: string }): void
  open(chatId: string, seq?: number): void
  /** The conversation with this user, which need not have begun. */
  openWith(username: string): void
  side(side: Side | undefined): void
  /** To be read out, not shown. */
  announce(text: string): void
}

export type DialogKind = 'new chat' | 'settings' | 'forward' | 'info' | 'poll' | 'add' | 'starred'

const MAX_KNOWN = 500

/** Names and presence of those who are on the screen. */
export class People {
  readonly #client: Client
  readonly #presence = new Map<string, Value<Presence | undefined>>()

  constructor(client: Client) {
    this.#client = client
    // Who has begun a chat with someone may see them from then on, and is not told so.
    for (const name of ['message.created', 'delivered.updated', 'read.updated'] as const)
      client.on(name, ({ seq }) => seq <= 2 && this.#again())
  }

  /** Whoever is watched is asked for once more, because there is another one for a moment. */
  #again(): void {
    this.#client.presence('').subscribe(() => undefined)()
  }

  presence(username: string): Value<Presence | undefined> {
    let value = this.#presence.get(username)
    if (!value) {
      value = this.#client.presence(username)
      if (this.#presence.size > MAX_KNOWN) this.#presence.clear()
      this.#presence.set(username, value)
    }
    return value
  }
}

export function nameOf({ t }: Pick<Ui, 't'>, member: Partial<Member> | undefined): string {
  if (!member || member.removed) return t.deletedAccount
  return member.displayName ?? member.username ?? t.deletedAccount
}

export function memberOf(chat: Chat | undefined, username: string | undefined): Partial<Member> {
  if (username === undefined) return { removed: true }
  return chat?.members.find((member) => member.username === username) ?? { username }
}

/** Of a direct chat: the one who is not me; with oneself, oneself. */
export function otherOf(chat: Chat, me: string | undefined): Member | undefined {
  return chat.members.find(({ username }) => username !== me) ?? chat.members[0]
}

export function titleOf(ui: Pick<Ui, 't' | 'client'>, chat: Chat): string {
  if (chat.kind === 'group') return chat.title ?? ''
  return nameOf(ui, otherOf(chat, ui.client.me.getSnapshot()?.username))
}

/** What a message says in one line. */
export function lineOf({ t }: Pick<Ui, 't'>, message: Partial<Message>): string {
  if (message.deletedAt) return t.deleted
  if (message.hidden) return t.hidden
  if (message.body) return message.body
  if (message.location) return message.location.name ?? t.location
  if (message.card) return message.card.title
  if (message.poll) return t.poll
  const [file] = message.files ?? []
  if (file) return fileLine(t, file)
  return ''
}

function fileLine(
  t: Texts,
  { kind, name, voice }: { kind: string; name: string; voice?: boolean },
) {
  if (voice) return t.voice
  if (kind === 'image') return t.photo
  if (kind === 'video') return t.video
  return name
}

/** May I do this in the group? `needs` is who may, unless the group says otherwise. */
export function may(
  { kind, role, settings }: Chat,
  what: 'post' | 'add' | 'remove' | 'edit' | 'pin' | 'invite' | 'deleteOthers',
): boolean {
  if (kind === 'direct') return true
  const least = settings?.permissions?.[what] ?? (what === 'post' ? 'member' : 'admin')
  return RANK[role ?? 'member'] >= RANK[least]
}

const RANK = { member: 0, admin: 1, owner: 2 }
