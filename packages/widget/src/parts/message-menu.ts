/** What can be done with a message. */
import type { Message } from '@microchatter/client'
import { may, type MenuItem, type Ui } from '../ui.ts'
import type { Where } from './where.ts'

export function messageMenu(where: Where, message: Message): MenuItem[] {
  if (message.deletedAt || message.hidden) return [deleteForMe(where, message)]
  return [...talk(where, message), ...keep(where, message), ...remove(where, message)]
}

function talk(where: Where, message: Message): MenuItem[] {
  const { ui, chat, me, thread } = where
  const { t } = ui
  const { seq, body } = message
  const isMine = message.sender === me
  const items: MenuItem[] = [{ text: t.reply, onChoose: () => where.onReply(message) }]
  if (thread === undefined && message.thread === undefined)
    items.push({ text: t.replyInThread, onChoose: () => ui.side({ kind: 'thread', seq }) })
  if (body) items.push({ text: t.copy, onChoose: () => copy(ui, body) })
  items.push({ text: t.forward, onChoose: () => ui.dialog('forward', chat, message) })
  if (isMine && !message.forwarded && !message.poll)
    items.push({ text: t.edit, onChoose: () => where.onEdit(message) })
  return items
}

function keep(where: Where, { chatId, seq, my, pinned, sender }: Message): MenuItem[] {
  const { ui, chat, me, onDone } = where
  const { api } = ui.client
  const { t } = ui
  const at = { chatId, seq }
  const run = (work: Promise<unknown>) => ui.run(work.then(() => onDone(seq)))
  const items: MenuItem[] = [
    my?.starredAt
      ? { text: t.unstar, onChoose: () => run(api.unstarMessage(at)) }
      : { text: t.star, onChoose: () => run(api.starMessage(at)) },
  ]
  if (chat && may(chat, 'pin'))
    items.push(
      pinned
        ? { text: t.unpin, onChoose: () => run(api.unpinMessage(at)) }
        : { text: t.pin, onChoose: () => run(api.pinMessage(at)) },
    )
  if (sender === me)
    items.push({
      text: t.info,
      onChoose: () => ui.dialog('info', chat, { chatId, seq } as Message),
    })
  else items.push({ text: t.markUnread, onChoose: () => ui.run(ui.client.markUnread(chatId, seq)) })
  return items
}

function remove(where: Where, message: Message): MenuItem[] {
  const { ui, chat, me, onDone } = where
  const { chatId, seq, sender } = message
  const { t } = ui
  const items: MenuItem[] = []
  if (sender !== me && ui.reportUrl !== undefined)
    items.push({ text: t.report, isDanger: true, onChoose: () => ui.run(report(ui, message)) })
  items.push(deleteForMe(where, message))
  const mayForAll = sender === me || (chat?.kind === 'group' && may(chat, 'deleteOthers'))
  if (mayForAll)
    items.push({
      text: t.deleteForAll,
      isDanger: true,
      onChoose: async () => {
        if (await ui.ask(t.deleteSure, t.deleteForAll))
          ui.run(ui.client.delete(chatId, seq).then(() => onDone(seq)))
      },
    })
  return items
}

function deleteForMe({ ui, onDone }: Where, { chatId, seq }: Message): MenuItem {
  const work = () => ui.client.delete(chatId, seq, 'me').then(() => onDone(seq))
  return { text: ui.t.deleteForMe, isDanger: true, onChoose: () => ui.run(work()) }
}

function copy(ui: Ui, text: string): void {
  ui.run(navigator.clipboard.writeText(text).then(() => ui.say(ui.t.copied)))
}

/** To the site: who moderates there sees what was said, and who says so by its own log-in. */
async function report(ui: Ui, { chatId, seq, sender, body }: Message): Promise<void> {
  const response = await fetch(ui.reportUrl ?? '', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ chatId, seq, sender, body }),
  })
  if (!response.ok) throw new Error(`${response.status}`)
  ui.say(ui.t.reported)
}
