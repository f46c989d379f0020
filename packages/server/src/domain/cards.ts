import { LIMITS, type Pressed } from '@microchatter/protocol'
import type { Content } from '../store/content.ts'
import type { MessageAddress } from './changes.ts'
import type { Actor, Core } from './core.ts'
import { checkThere } from './edits.ts'
import { ChatError } from './errors.ts'
import { findOwn } from './history.ts'
import { without } from './message-view.ts'
import { forbidden } from './rights.ts'

/** [CARD-1] Asks the site, and gives what it answers; nothing is stored. */
export async function pressButton(
  core: Core,
  actor: Actor,
  address: MessageAddress,
  button: string,
): Promise<Pressed> {
  const row = await findOwn(core, actor, address)
  const content = row.content ?? {}
  checkThere(content)
  checkButton(content, button)
  if (!core.webhook)
    throw forbidden(
      'This site takes no presses: its operator has to set MICROCHATTER_WEBHOOK_URL and MICROCHATTER_WEBHOOK_SECRET',
    )
  const { type, metadata } = content
  const answer = await core.webhook.call({
    type: 'card.pressed',
    data: {
      chatId: row.chat_id,
      seq: row.seq,
      button,
      username: actor.username,
      ...without({ type, metadata }),
    },
  })
  return toPressed(answer)
}

interface Button {
  id: string
  url?: string
}

function checkButton({ card }: Content, id: string): void {
  const buttons = (card?.buttons ?? []) as Button[]
  const button = buttons.find((one) => one.id === id)
  if (!button) throw invalidButton('This message has no such button')
  if (button.url !== undefined) throw invalidButton('This button is a link: open it')
}

function invalidButton(detail: string): ChatError {
  return new ChatError('invalid', { field: '/button', detail })
}

/** Other fields than `text` are the site's own business. */
function toPressed(answer: unknown): Pressed {
  const { text } = (answer ?? {}) as { text?: unknown }
  if (text === undefined || text === null) return {}
  if (typeof text === 'string' && [...text].length <= LIMITS.pressed) return { text }
  throw new ChatError('unavailable', {
    detail: `The site's webhook answered with a \`text\` that is no text of at most ${LIMITS.pressed} characters`,
  })
}
