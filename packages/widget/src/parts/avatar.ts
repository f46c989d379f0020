import type { Chat } from '@microchatter/client'
import { html, nothing, type TemplateResult } from 'lit'
import { icon } from '../icons.ts'
import { otherOf, titleOf, type Ui } from '../ui.ts'

const HUES = 8

interface Shown {
  name: string
  picture?: string | undefined
  /** Gives its colour. */
  key: string
  isGroup?: boolean
  state?: 'online' | 'away' | 'offline' | undefined
}

/** A picture, or the initials on a colour that is always the same for the same user. */
export function avatar({ name, picture, key, isGroup, state }: Shown): TemplateResult {
  const hue =
    [...key].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 997, 7) % HUES
  return html`<span class="avatar hue-${hue}" aria-hidden="true">
    ${
      picture
        ? html`<img src=${picture} alt="" loading="lazy" referrerpolicy="no-referrer" />`
        : isGroup
          ? icon('group')
          : initialsOf(name)
    }
    ${state && state !== 'offline' ? html`<span class="dot ${state}"></span>` : nothing}
  </span>`
}

/** Of a group, or of the other one. */
export function chatAvatar(ui: Ui, chat: Chat, state?: Shown['state']): TemplateResult {
  const isGroup = chat.kind === 'group'
  const other = isGroup ? undefined : otherOf(chat, ui.client.me.getSnapshot()?.username)
  return avatar({
    name: titleOf(ui, chat),
    picture: chat.picture ?? other?.picture,
    key: other?.username ?? chat.id,
    isGroup,
    state,
  })
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u)
  const letters = [words[0], words.length > 1 ? words.at(-1) : ''].map(
    (word) => [...(word ?? '')][0],
  )
  return letters.join('').toLocaleUpperCase()
}
