/** Who and what the steps of the tour have in common. */
import type { Device, Person } from './people.ts'
import type { Place } from './place.ts'
import type { Story } from './story.ts'

export interface Stage {
  story: Story
  place: Place
}

export interface Cast extends Stage {
  admin: Person
  alice: Person
  bob: Person
  carol: Person
}

/** Two sockets, as two devices of Alice, and one of Bob. */
export interface Online extends Cast {
  phone: Device
  laptop: Device
  bobs: Device
}

export interface Scene extends Online {
  /** The chat of Alice and Bob. */
  chatId: string
}
