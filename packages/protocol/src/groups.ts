import { type Static, Type } from 'typebox'
import { Metadata } from './content.ts'
import { LIMITS } from './limits.ts'
import {
  ExactTime,
  ChatId,
  closed,
  Cursor,
  Limit,
  Name,
  oneOf,
  opt,
  WebUrl,
  Seq,
  Time,
  Username,
} from './schema.ts'

export const GroupRole = oneOf(['owner', 'admin', 'member'], 'In a group.')
export type GroupRole = Static<typeof GroupRole>

/** Who may do something: owners alone, admins of the group too, or all members. */
const who = (what: string, unlessSet: string) =>
  opt(oneOf(['owner', 'admin', 'member'], `${what}; unless set: ${unlessSet}.`))

/** The least role that may do each. */
export const Permissions = closed({
  post: who('Write messages', 'member'),
  add: who('Add users', 'admin'),
  remove: who('Remove members whose role is not higher', 'admin'),
  edit: who('Change title, picture, description, settings, metadata', 'admin'),
  pin: who('Pin messages', 'admin'),
  invite: who('Make, see and delete links', 'admin'),
  mentionAll: who('Mention all', 'admin'),
  deleteOthers: who('Delete messages of others', 'admin'),
})
export type Permissions = Static<typeof Permissions>

export const GroupSettings = closed({
  permissions: opt(Permissions),
  history: opt(
    oneOf(
      ['all', 'joined'],
      'What a new member sees of the past: all of it, or what comes from then on.',
    ),
  ),
  open: opt(Type.Boolean({ description: 'true: anyone may find the group and join it.' })),
  slowModeSeconds: opt(
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      description: 'The least time between two messages of one member; 0: none.',
    }),
  ),
  expireAfterSeconds: opt(
    Type.Integer({
      minimum: 0,
      maximum: 31_536_000,
      description: 'Messages disappear after so long; 0: they stay.',
    }),
  ),
})
export type GroupSettings = Static<typeof GroupSettings>

export const Description = Type.String({ minLength: 1, maxLength: LIMITS.description })

/** What a group has beside its title and its members. */
export const GROUP_FIELDS = {
  picture: opt(WebUrl),
  description: opt(Description),
  settings: opt(GroupSettings),
  metadata: opt(Metadata),
}

const MemberCount = Type.Integer({ minimum: 0 })

export const ListMembersQuery = closed({
  search: opt(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.username,
      description: 'Start of the username or of the display name, in any case.',
    }),
  ),
  limit: opt(Limit),
  cursor: opt(Cursor),
})
export type ListMembersQuery = Static<typeof ListMembersQuery>

export const AddMembersBody = closed({
  usernames: Type.Array(Username, {
    minItems: 1,
    maxItems: LIMITS.added,
    description: 'All of them are added, or none.',
  }),
})
export type AddMembersBody = Static<typeof AddMembersBody>

export const AddedMembers = closed({
  added: Type.Array(Username, { description: 'Without those who were members already.' }),
  memberCount: MemberCount,
})
export type AddedMembers = Static<typeof AddedMembers>

export const UpdateMemberBody = closed({ role: GroupRole })
export type UpdateMemberBody = Static<typeof UpdateMemberBody>

export const InviteCode = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'For a link: letters, digits, `-` and `_`.',
})

export const InviteBody = closed({
  expiresAt: opt(Type.String({ ...ExactTime, description: 'A time to come (ISO 8601, UTC).' })),
  maxUses: opt(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
})
export type InviteBody = Static<typeof InviteBody>

/** Who has the code may join the group. */
export const Invite = closed({
  code: InviteCode,
  expiresAt: opt(Time),
  maxUses: opt(Type.Integer({ minimum: 1 })),
  uses: Type.Integer({ minimum: 0, description: 'Who has joined by it.' }),
  createdAt: Time,
  createdBy: opt(Username),
})
export type Invite = Static<typeof Invite>

/** What is shown of a group to who may join it. */
const shown = {
  title: Name,
  picture: opt(WebUrl),
  description: opt(Description),
  memberCount: MemberCount,
}
export const InvitePreview = closed(shown)
export type InvitePreview = Static<typeof InvitePreview>

export const OpenGroup = closed({
  chatId: ChatId,
  ...shown,
  joined: opt(Type.Boolean({ description: 'true: I am a member.' })),
})
export type OpenGroup = Static<typeof OpenGroup>

export const ListOpenGroupsQuery = closed({
  search: opt(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.name,
      description: 'Start of the title, in any case.',
    }),
  ),
  limit: opt(Limit),
  cursor: opt(Cursor),
})
export type ListOpenGroupsQuery = Static<typeof ListOpenGroupsQuery>

/** What I have begun to write in a chat. */
export const Draft = closed({
  body: Type.String({ minLength: 1, maxLength: LIMITS.body }),
  reply: opt(Seq),
  updatedAt: Time,
})
export type Draft = Static<typeof Draft>

export const RequestState = oneOf(
  ['pending', 'declined'],
  'Someone whom I do not know has begun this chat, and I have not accepted it yet, or have declined it.',
)
