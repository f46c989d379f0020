/** Of the server's limits, those that are needed here; the types see to it that they are the same. */
import type { LIMITS } from './protocol.ts'

type Limits = typeof LIMITS

/** Items of one page. */
export const PAGE: Limits['page'] = 100
/** Chats that one sync brings messages of. */
export const SYNC_CHATS: Limits['syncChats'] = 100
/** Users whose presence one connection is told of. */
export const WATCHED: Limits['watched'] = 200
/** Members of a group that its view shows. */
export const SHOWN_MEMBERS: Limits['shownMembers'] = 50
