/** One message, as it is drawn. */
import type { Chat, Message, Reaction } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { onLongPress } from '../long-press.ts'
import { isEmojiOnly, richText } from '../rich-text.ts'
import { lineOf, memberOf, nameOf, type Ui } from '../ui.ts'
import { avatar } from './avatar.ts'
import { cardView, locationView, pollView, previewView } from './content.ts'
import { messageMenu } from './message-menu.ts'
import { reactTo, type Where } from './where.ts'
import { systemLine } from './system.ts'

export interface Place {
  /** Of those that one person has written one after another. */
  isFirst: boolean
  isLast: boolean
  isMarked: boolean
}

export function messageView(where: Where, message: Message, place: Place): TemplateResult {
  const { ui, chat, me } = where
  if (message.kind === 'system' && message.event)
    return html`<div class="system" data-seq=${message.seq}>${systemLine(where, message)}</div>`
  const isMine = message.sender === me
  const sender = memberOf(chat, message.sender)
  const name = isMine ? ui.t.you : nameOf(ui, sender)
  const isGroup = chat?.kind === 'group'
  const classes = `message ${isMine ? 'mine' : 'theirs'} ${place.isFirst ? 'first' : ''} ${place.isLast ? 'last' : ''} ${place.isMarked ? 'marked' : ''}`
  return html`<div
    class=${classes} data-seq=${message.seq} tabindex="-1" role="article"
    aria-label=${ui.t.says(name, lineOf(ui, message))}
    @contextmenu=${(event: MouseEvent) => openMenu(event, where, message)}
    @pointerdown=${onLongPress((at) => showMenu(where, message, at))}
    @keydown=${(event: KeyboardEvent) => onKey(event, where, message)}
  >
    ${
      isGroup && !isMine
        ? html`<span class="side">${place.isLast ? avatar({ name, picture: sender.picture, key: message.sender ?? '' }) : nothing}</span>`
        : nothing
    }
    <div class="column">
      ${isGroup && !isMine && place.isFirst ? html`<span class="name" dir="auto">${name}</span>` : nothing}
      <div class="row">
        ${bubble(where, message)}
        ${message.deletedAt || message.hidden ? nothing : actions(where, message)}
      </div>
      ${reactions(where, message)} ${threadLink(where, message)}
    </div>
  </div>`
}

/** With the usual reactions above it. */
function showMenu(where: Where, message: Message, at: Element | { x: number; y: number }): void {
  const isGone = message.deletedAt !== undefined || message.hidden
  const react = (emoji: string) => reactTo(where, message, emoji, true)
  where.ui.menu(at, messageMenu(where, message), isGone ? undefined : react)
}

function openMenu(event: MouseEvent, where: Where, message: Message): void {
  // A link keeps the browser's own menu, and so does text that is selected.
  const isLink = event.composedPath().some((node) => node instanceof HTMLAnchorElement)
  if (isLink || String(document.getSelection() ?? '') !== '') return
  event.preventDefault()
  showMenu(where, message, { x: event.clientX, y: event.clientY })
}

function onKey(event: KeyboardEvent, where: Where, message: Message): void {
  if (event.target !== event.currentTarget) return
  if (event.key === 'Enter' || event.key === ' ' || event.key === 'ContextMenu') {
    event.preventDefault()
    showMenu(where, message, event.currentTarget as Element)
  } else if (event.key === 'r' && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    where.onReply(message)
  }
}

function actions(where: Where, message: Message): TemplateResult {
  const { ui } = where
  const react = (emoji: string) => reactTo(where, message, emoji, true)
  return html`<span class="actions">
    <button class="tool" aria-label=${ui.t.react} title=${ui.t.react}
      @click=${(event: Event) => ui.emoji(event.currentTarget as Element, react)}>${icon('smile')}</button>
    <button class="tool" aria-label=${ui.t.reply} title=${ui.t.reply}
      @click=${() => where.onReply(message)}>${icon('reply')}</button>
    <button class="tool" aria-label=${ui.t.messageMenu} title=${ui.t.messageMenu} aria-haspopup="menu"
      @click=${(event: Event) => showMenu(where, message, event.currentTarget as Element)}>${icon('more')}</button>
  </span>`
}

function bubble(where: Where, message: Message): TemplateResult {
  const { ui, chat, me } = where
  const whose = message.sender === me ? 'mine' : 'theirs'
  if (message.deletedAt || message.hidden)
    return html`<div class="bubble gone" part="bubble ${whose}"><i>${lineOf(ui, message)}</i>${meta(where, message)}</div>`
  const { body, files = [], forwarded, reply, preview, poll, card, location } = message
  const names = [...(message.mentions ?? [])].map((username) =>
    nameOf(ui, memberOf(chat, username)),
  )
  const isBare = files.length > 0 && !body && !reply && !forwarded
  const isLarge = isEmojiOnly(body) && !reply && files.length === 0
  const visual = files.filter(({ kind }) => kind === 'image' || kind === 'video')
  const others = files.filter((file) => !visual.includes(file))
  return html`<div class="bubble ${isBare && visual.length > 0 ? 'bare' : ''} ${isLarge ? 'large' : ''}" part="bubble ${whose}">
    ${forwarded ? html`<span class="label">${icon('next')}${ui.t.forwarded}</span>` : nothing}
    ${reply ? quote(where, reply) : nothing}
    ${visual.length > 0 ? html`<div class="visual count-${Math.min(visual.length, 4)}">${visual.map((file) => fileView(where, message, file))}</div>` : nothing}
    ${others.map((file) => fileView(where, message, file))}
    ${body && !poll && !card ? html`<div class="text" dir="auto">${richText(body, names)}</div>` : nothing}
    ${poll ? pollView(where, message, poll, me) : nothing}
    ${card ? cardView(where, message, card) : nothing}
    ${location ? locationView(where, location) : nothing}
    ${preview ? previewView(where, message, preview) : nothing}
    ${meta(where, message)}
  </div>`
}

function fileView(
  { ui, chat }: Where,
  { seq, chatId }: Message,
  file: NonNullable<Message['files']>[0],
) {
  return html`<mc-file class=${file.kind} .ui=${ui} .chatId=${chat?.id ?? chatId} .seq=${seq} .file=${file}></mc-file>`
}

function quote(
  { ui, chat, me, onJump }: Where,
  reply: NonNullable<Message['reply']>,
): TemplateResult {
  const name = reply.sender === me ? ui.t.you : nameOf(ui, memberOf(chat, reply.sender))
  const { fileKind } = reply
  const kind = fileKind
    ? { image: ui.t.photo, video: ui.t.video, audio: ui.t.audio, file: ui.t.file }[fileKind]
    : ''
  const other = { location: ui.t.location, card: ui.t.card, poll: ui.t.poll, system: '' }[
    reply.kind ?? 'system'
  ]
  const line = reply.deletedAt ? ui.t.deleted : reply.body || kind || other || ui.t.message
  return html`<button class="quote" @click=${() => onJump(reply.seq)}>
    <b dir="auto">${name}</b><span dir="auto">${line}</span>
  </button>`
}

function meta({ ui, chat, me }: Where, message: Message): TemplateResult {
  const { editedAt, createdAt, pinned, my, sender, seq } = message
  return html`<span class="meta">
    ${pinned ? html`<span title=${ui.t.pinned}>${icon('pin')}</span>` : nothing}
    ${my?.starredAt ? html`<span title=${ui.t.starred}>${icon('star')}</span>` : nothing}
    ${editedAt && !message.deletedAt ? html`<span>${ui.t.edited}</span>` : nothing}
    <time datetime=${createdAt} title=${ui.format.full(createdAt)}>${ui.format.time(createdAt)}</time>
    ${sender === me ? ticks(ui, chat, me, seq) : nothing}
  </span>`
}

/** One: it is stored. Two: all others have it on a device. In colour: all have read it. */
function ticks(ui: Ui, chat: Chat | undefined, me: string, seq: number): TemplateResult {
  const others = (chat?.members ?? []).filter(
    ({ username, removed }) => username !== me && !removed,
  )
  const has = (key: 'readSeq' | 'deliveredSeq') =>
    others.length > 0 && others.every((member) => (member[key] ?? 0) >= seq)
  const state = has('readSeq') ? 'read' : has('deliveredSeq') ? 'delivered' : 'sent'
  return html`<span class="ticks ${state}" role="img" aria-label=${ui.t[state]} title=${ui.t[state]}
    >${icon(state === 'sent' ? 'check' : 'checks')}</span>`
}

function reactions(where: Where, message: Message): TemplateResult | typeof nothing {
  const { reactions: all = [], my } = message
  if (all.length === 0 || message.deletedAt) return nothing
  const one = ({ emoji, count, usernames }: Reaction) => {
    const isMine = my?.reactions?.includes(emoji) ?? false
    const names = usernames.map((username) => nameOf(where.ui, memberOf(where.chat, username)))
    return html`<button class="reaction" aria-pressed=${isMine} title=${names.join(', ')}
      aria-label="${emoji} ${count}"
      @click=${() => reactTo(where, message, emoji, !isMine)}>${emoji}<span>${count}</span></button>`
  }
  return html`<div class="reactions">${all.map(one)}</div>`
}

function threadLink({ ui, thread }: Where, { replies, seq }: Message) {
  if (!replies || replies.count === 0 || thread !== undefined) return nothing
  return html`<button class="thread-link" @click=${() => ui.side({ kind: 'thread', seq })}>
    ${icon('thread')}${ui.t.replies(replies.count)}
  </button>`
}
