/** What is said in the groups. The first one is long, so that there is something to scroll. */

export const STUDIO = `
chiara: Good morning everyone, and welcome to the new place for all that is not e-mail
dana: Finally
emil: Hello from the train
hana: Hello from the desk behind you, Dana
dana: I can hear you typing
gabriel: Morning! Is the coffee machine fixed?
hana: It makes a sound like a small plane, but there is coffee
gabriel: I can live with that
farah: Is anyone else's calendar an hour off today?
emil: Mine too. It is the clocks
farah: Every year
chiara: Short list for this week: the museum on Wednesday, the invoices, and the shelf that keeps falling
ben: I take the shelf
anna: You took the shelf last month
ben: This time with screws
dana: We have screws?
hana: Second drawer, under the tea
dana: There is tea?
gabriel: Dana, have you ever opened a drawer here
dana: I have a system
emil: The preview is up again, by the way. The disk was full of old videos
farah: Whose videos?
emil: I did not look. There were forty of them and all are called final
ben: Ah
anna: Ben
ben: final2 is the final one
emil: They are on the archive now, nothing is lost
ben: Thank you, Emil
chiara: The plan follows in the afternoon, I am on the phone until two
hana: The postman was here, there is a parcel for the studio. Heavy
gabriel: The paper samples! Do not open it without me
hana: I would never
dana: She is holding scissors
hana: I was cutting something else
gabriel: I am coming down
gabriel: They are beautiful. The grey one feels like a good towel
farah: High praise
gabriel: Come and touch it
emil: I am on a train, describe it
gabriel: Imagine a towel, but flat
emil: I see it before me
anna: Do we take the grey for the museum cards then?
gabriel: Yes, and the white for the rest
chiara [prices]: Back. Which one is cheaper?
gabriel >prices: The white, by a third. The grey is worth it for five hundred cards
chiara: Then grey for the cards. Go ahead
gabriel: Ordered
farah: How long does it take?
gabriel: Nine days, they say
farah: So twelve
gabriel: So twelve
ben: Shelf is up
dana: Is it level?
ben: It is a shelf
hana: It is level. I put a marble on it
dana: Where did you get a marble?
hana: Drawer
dana: I have to look into these drawers
anna: Who was in the big room? The board has a very good drawing of a whale
emil: That was the meeting about the database
anna: And the whale?
emil: It is a large database
farah: Can we keep it?
chiara: The museum comes on Wednesday. They like whales
ben: Then it stays
hana: I put a frame around it with tape
gabriel: It looks as if it had always been there
chiara [museum]: The museum: Wednesday at ten, big room, three guests. Ben shows the home page, Gabriel the cards, Anna talks about the map. Twenty minutes, then questions
anna ~museum: Do they see the old map or the new one?
chiara ~museum: The new one, please. If it loads
emil ~museum: It loads in half a second now
anna ~museum: Then the new one. I have a story about the lighthouse
chiara ~museum: Everyone loves the lighthouse
ben: Understood. I make a copy of everything, in case the network is like last time
farah: Last time was the projector
ben: Last time was both
hana: The projector gets a new lamp, Ben has ordered one
ben: It comes on Tuesday
dana: So Thursday
ben: Please
emil: I can bring my own, it is small but bright
chiara: Like you
emil: Thank you?
anna: What do we offer them, cake or fruit?
dana: Cake
gabriel: Cake
farah: Both, the director does not eat sugar
chiara: Both, then. Hana, could you?
hana: Done, it comes at half past nine
chiara: You are wonderful
gabriel: Does anyone have the logo with the long line under it?
anna: In the folder, under logos, then long
gabriel: There are two called long
anna: The longer one
gabriel: Of course
emil: I count eleven logos
chiara: We had a phase
dana: The one with the bird was nice
chiara: The bird was a mistake
ben: The bird was great
farah: The bird looked like a comma
anna: A very friendly comma
hana: There is still a sticker of it on the fridge
dana: And it stays there
emil: Off the train. I am in the office in ten minutes, does anyone need something from the bakery?
gabriel: A pretzel please
hana: Two rolls with seeds
farah: Nothing, thank you
dana: Whatever is warm
ben: A pretzel too
emil: Two pretzels, two rolls, something warm
dana: You are the best person in this room
emil: I am not in the room
dana: That is how good you are
chiara: Invoices: all of October is out. Four have paid already
anna: Already? Who are these people?
chiara: The good ones
farah: The bakery paid in cookies once
chiara: And we have stopped that
farah: They were good cookies
hana: The plants upstairs need a bigger pot. Any objections to the blue one?
gabriel: None
anna: The blue one is for umbrellas
hana: It has not rained since June
anna: Then none
ben: @anna do you still have the long cable for the camera?
anna: In my bag, I bring it down
ben: Thank you!
emil: Pretzels are here
dana: Running
gabriel: The warm thing is an apple thing
dana: It is the best apple thing
farah: I changed the opening hours on the contact page, please have a look at it: https://example.org/contact
anna: Looks good. Friday says until 51:00, though
farah: We are open very long
farah: Fixed
chiara: Speaking of hours, next Monday is a holiday
gabriel: It is?
chiara: Every year
hana: I put it in the calendar in red
emil: The calendar is an hour off
hana: It is a whole day off, it does not matter
dana: That is the best sentence of this week
anna: It is Tuesday
dana: I know what I said
`

export const STUDIO_AFTER = `
dana: I voted before I read the options
emil: Democracy
gabriel: Ramen is for cold days, and it is a cold day
farah: Convincing
hana [closed]: The dumpling place is closed on Wednesdays, sorry
chiara: Then the others win
ben: I withdraw my objection to ramen
chiara [gone]: https://example.org/files/final3
chiara: That was the wrong file, sorry
chiara [wednesday]: @anna @ben could you both be here at nine on Wednesday? Then we go through it once
gabriel: I bring the first cards, if they come
dana: I bring the apple thing
`

export const LISBON = `
ben: So. Lisbon, four days, in spring. This group is for all of it
anna: I have been packed since yesterday
dana: Trains or planes?
emil: It is two days by train
dana: I know. It would be lovely
ben: Planes, then trains when we are there
gabriel: My cousin lives there, he says: not in August
ben: Which is why it is spring
farah: I found this: https://example.org/houses/lisbon-12
anna: A roof terrace!
dana: And three bathrooms. That matters
emil: Six rooms, eleven minutes to the water. I measured
gabriel: He measured
ben [house]: I asked, it is free from the 14th to the 18th. Shall I take it?
anna >house: Yes!
dana >house: Yes
emil >house: Yes, before someone else does
ben: Taken
`

export const LISBON_AFTER = `
gabriel: My cousin says the place next to it has the better pastries
farah: Then we try both
dana: For science
emil: I made a list with everything to book, in the order of how soon
anna: Of course you did
emil: It has colours
`

export const CLIMBING = `
anna: Sunday at the wall, who is in?
farah: Me
hana: Me, if my knee says yes
ben: I come and hold ropes
farah: You said that last time and then you were on the ceiling
ben: I was holding the rope very high up
hana: I still have the photo
anna: Please never delete that photo
farah: They have set new routes on the left side. The yellow one looks mean
hana: Yellow always is
anna: I want to try the long green one
ben: The one with the nose?
anna: The one with the nose
farah [car]: I can take three people and the bags, from the station at half past nine
hana >car: One is me
ben >car: Me too
anna: I come by bike, it is on my way
farah: It is not on your way at all
anna: It is on my way to feeling good about myself
`
