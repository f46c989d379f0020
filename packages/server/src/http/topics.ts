/** What a call is about: the groups of /docs, in this order, and the tags of OpenAPI. */

const TOPICS: readonly (readonly [title: string, path: RegExp])[] = [
  ['Log-in', /\/(login|sessions)\b/],
  ['Users', /^\/users(\/register|\/:username)?$/],
  ['Settings and blocks', /^\/(features|users\/me\/(settings|blocks))\b/],
  ['Chats', /^\/chats(\/:chatId)?$/],
  ['Messages', /\/(messages|changes|pins|stars|search)\b(?!.*\/(receipts|reminder)$)/],
  ['Files', /^\/(uploads|files)\b/],
  ['Groups', /\/(open|join|members|invites)\b/],
  ['Mailbox', /\/(unread|read|draft|labels|request)$/],
  ['Presence and receipts', /\/(presence|delivered|receipts)$/],
  ['Scheduled and reminders', /\/(scheduled|reminders?)\b/],
]
const REST = 'The server'

export function topicOf(path: string): string {
  return TOPICS.find(([, fits]) => fits.test(path))?.[0] ?? REST
}

/** In the order of the topics; the routes of one stay as they are. */
export function byTopic<R extends { path: string }>(routes: readonly R[]): [string, R[]][] {
  return [...TOPICS.map(([title]) => title), REST].map((title) => [
    title,
    routes.filter(({ path }) => topicOf(path) === title),
  ])
}
