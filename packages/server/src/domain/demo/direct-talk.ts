/** What is said in the chats of two: a line of `PAIRS` is who with whom; the last ones are unread. */

export const ANNA_BEN = `
ben: Morning! Are you in today?
anna: From eleven. Dentist first, wish me luck
ben: Good luck. They have the nice magazines, at least
anna: They have one magazine. It is about boats
ben: Then you come back an expert
anna: Ahoy
ben [draft]: I pushed the new home page to the preview. Tell me what you think of the header
anna >draft: Much calmer than before. I like that the search is the first thing one sees
anna: The green is a bit loud on my phone, though
ben: Ha, Emil said the same. I take it down a little
anna: Thank you!
ben: And the photos at the bottom, keep or drop?
anna: Keep three, drop the rest. Nobody scrolls that far
ben: Deal
anna [lunch]: Lunch at one? The place with the dumplings is open again
ben >lunch: Yes please. I have been waiting for this since March
anna: Shall we ask Dana?
ben: Already did, she saves us a table
anna: You are all too fast for me
ben: I walked past the river this morning, look:
`

export const ANNA_BEN_AFTER = `
anna [photo]: Wow. That is this morning?
ben: Half past six. I could not sleep, so I took the camera
anna: We should put that one on the home page
ben: Only if I get my name under it, in very small letters
anna: In four point, I promise
ben: And I am typing with mittens, so:
`

export const ANNA_BEN_END = `
anna: Got it, I bring both cables
anna [typo]: See you at the door at five to wone
ben: We meet here:
`

export const ANNA_BEN_LAST = `
anna: Perfect, I know that corner
ben: They have the sesame ones today, I checked
ben [end]: And bring an appetite, Dana has ordered for six
`

export const PAIRS: Record<string, string> = {
  'anna chiara': `
chiara: Anna, do you have five minutes for the offer to the museum?
anna: Sure. Send it over
chiara: https://example.org/offers/museum-2
anna: Reading it now
anna: Page three has the old prices, the rest is fine
chiara: Oh no. Thank you for looking!
chiara: Fixed. Could you look once more, and then I send it?
chiara: They decide on Thursday, so today would be great`,
  'anna dana': `
dana: Did you see the new tiles in the lift?
anna: I did. Someone was brave
dana: I think they were on sale
anna: They must have been free
dana: Are you still looking for a bike for your nephew?
anna: Yes! He is eight now
dana: Mine has outgrown his. Blue, six gears, one scratch
anna: That would be perfect. What do you want for it?
dana: A cake. The one with the lemon`,
  'anna emil': `
emil: The tests are green again
anna: You are a hero
emil: It was one line
anna: It always is one line
emil: I wrote down what happened, for next time: https://example.org/notes/green-again
anna: Thanks, reading it on the train`,
  'anna farah': `
farah: Are we on for Saturday?
anna: Yes! Ten at the wall?
farah: Ten is early for you
anna: I have changed
farah: You have not
anna: Half past ten
farah: There she is
farah: I bring the rope, you bring the snacks?
farah: And ask Ben whether he still has my shoes`,
  'anna hana': `
hana: The plants on your desk are watered
anna: You are the best. How is the fern?
hana: Holding on
anna: It is stronger than all of us
hana: I moved it a bit away from the heater`,
  'ben chiara': `
chiara: Ben, the museum asks whether we can show the home page on Wednesday
ben: Wednesday works. Morning is better
chiara: Ten?
ben: Ten is good
chiara: I tell them. They bring three people, so the big room
ben: I book it
chiara: Thank you. And please, no live coding this time`,
  'ben dana': `
dana: Table for three at one, by the window
ben: You are quick
dana: I am hungry
ben: Anna comes straight from the dentist
dana: Then soup for her
dana: Do you want the spicy ones again?
dana: Last time you cried`,
  'ben emil': `
emil: Your branch conflicts with mine, shall I sort it out?
ben: Would you? I owe you a coffee
emil: You owe me four
ben: I keep a list
emil: So do I
emil: Done. It was only the colours`,
  'ben hana': `
hana: Do you know where the good projector went?
ben: Big room, lowest shelf, behind the flags
hana: Why do we have flags?
ben: Nobody knows
hana: Found it. It says it needs a new lamp
ben: I order one`,
  'ben gabriel': `
gabriel: Great to see you yesterday! Same time next month?
ben: Yes, the first Tuesday
gabriel: It is in the calendar
ben: I bring the board game this time`,
}

export const REQUESTS = {
  anna: [
    'iris',
    `
iris: Hello Anna, we met at the design meetup in May. You talked about maps, I was the one with the questions
iris: I am writing about small studios and would love to hear how you work. Would half an hour next week be possible?`,
  ],
  ben: [
    'jonas',
    `
jonas: Hi Ben, I found your photos of the old harbour. Are prints for sale?
jonas: I am after the one with the red crane, for my office`,
  ],
} as const
