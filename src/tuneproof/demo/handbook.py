"""Quillmere's handbook: which desk takes over what, and how long goods may come back.

In: nothing. Out: `DESKS` and `RETURN_WINDOWS`, read by `knowledge.py`: for each answer the situations that lead to
it, and for each situation three wordings. The colours of the desks and the numbers of days are invented and cannot be
guessed.
"""

Wordings = tuple[str, str, str]

DESKS: dict[str, tuple[Wordings, ...]] = {
    "Desk Guard": (
        (
            "Who takes over when a device smokes or burns?",
            "escalation, fire risk",
            "A caller says flames came out of his heater. Where do I put him through?",
        ),
        (
            "Which desk handles electric shocks?",
            "electric shock from a plug -> desk?",
            "My hand still tingles, your lamp gave me a jolt! Who at Quillmere deals with that?",
        ),
        (
            "Where does a report of an injured person go?",
            "customer hurt by product, responsible desk",
            "A blade came loose and cut my daughter's finger. Which team will ring us?",
        ),
        (
            "Sparks were seen in a socket; which desk is told?",
            "sparks, who?",
            "It crackled and sparked as I switched it on, so I am scared. Please pass me to the right people.",
        ),
        (
            "A device gives off a burning smell. Which desk steps in?",
            "burning smell: desk",
            "The living room stinks of hot plastic and I pulled the plug. Who must hear of this at once?",
        ),
        (
            "Who handles a recall for danger?",
            "dangerous product, whom to tell",
            "I read that this model can explode! Which people at your company care about such hazards?",
        ),
    ),
    "Desk Ledger": (
        (
            "Which desk handles disputed invoices?",
            "invoice dispute, desk",
            "This client refuses to pay what we billed and wants to argue. To whom do I send him?",
        ),
        (
            "Who looks at a double debit?",
            "charged twice: desk?",
            "The same sum left my bank account two times. Which of your desks can undo it?",
        ),
        (
            "Where do payment reminders get clarified?",
            "wrong reminder -> who",
            "You dun me for a bill I settled weeks ago. Who stops these reminders?",
        ),
        (
            "A card payment bounced. Which desk follows it up?",
            "bounced payment, responsible",
            "The bank took its money back from us for an old sale, and I do not know which desk cares about it.",
        ),
        (
            "Who agrees on paying in instalments?",
            "instalments, desk?",
            "I cannot pay the washer at once and would rather split the sum. Who can allow that?",
        ),
        (
            "Which desk corrects the tax on an invoice?",
            "wrong VAT on the bill -> who",
            "My accountant found an error in the tax line of your invoice. Whom does she write to?",
        ),
    ),
    "Desk Wrench": (
        (
            "Which desk books technicians for a home visit?",
            "home visit: desk",
            "The washer is too heavy to carry, so he needs a repairman in his kitchen. Who arranges that?",
        ),
        (
            "Who plans installations at the customer's place?",
            "installation date, which desk?",
            "I have two left hands and want your fitter to mount the thing. Who makes the appointment?",
        ),
        (
            "Where is a missed technician appointment reported?",
            "fitter did not show up -> desk",
            "I took a day off and your repairman never rang the bell! Who sends him again?",
        ),
        (
            "Who moves the date of a fitter?",
            "new slot for technician visit",
            "She will be in hospital when our man is due at her house. Which desk finds another day?",
        ),
        (
            "Who collects a heavy appliance for repair?",
            "pick-up of broken freezer, desk",
            "It weighs as much as a horse and does not cool. Who fetches it from my cellar for repair?",
        ),
        (
            "Which desk knows where the technician is?",
            "technician late: whom to ask?",
            "Your mechanic should have been here an hour ago. Who can tell me when he arrives?",
        ),
    ),
}

RETURN_WINDOWS: dict[str, tuple[Wordings, ...]] = {
    "Sealed return, 9 weeks": (
        (
            "How long can an unopened item be returned?",
            "return window, sealed box",
            "I never broke the seal and changed my mind. Until when do you take it back?",
        ),
        (
            "What is the return period for goods still in their wrapping?",
            "still wrapped: days to return?",
            "We ordered two by mistake and one is untouched in its plastic. How much time is left for that one?",
        ),
        (
            "A parcel was never unpacked. In which period may it come back?",
            "never unpacked, days",
            "The carton stands in my hall with the tape on, I picked the wrong colour. How many days have I got?",
        ),
        (
            "Until which day do we accept sealed devices?",
            "device sealed - return limit",
            "Colleague, the customer swears the box is factory-closed. What limit applies?",
        ),
        (
            "The seal is intact. How long is a return possible?",
            "seal intact: period",
            "Mother bought it and never opened the package, so it is as good as new. Until when may she bring it?",
        ),
        (
            "Which return time do unopened orders have?",
            "order unopened -> return time",
            "I ordered in a hurry and the parcel is still closed on my desk. Up to when can it travel back?",
        ),
    ),
    "Tried return, 3 weeks": (
        (
            "What is the return window for opened goods?",
            "opened box, return days",
            "I tried the thing once at home and dislike it. How much time do I have to give it back?",
        ),
        (
            "How long may a used device be sent back?",
            "used once: return?",
            "We made one smoothie with it, then saw it is too loud. By when must it reach you?",
        ),
        (
            "Returning an item that was unpacked: how many days?",
            "unpacked item, limit",
            "The wrapping is in the bin already and I tested every button. Can it go back, and for how long?",
        ),
        (
            "A customer opened the carton. In which period may he return it?",
            "seal broken -> days",
            "She plugged it in yesterday and wants her money. How many days do we allow after use?",
        ),
        (
            "What limit applies when the goods were tried out?",
            "tried at home, how long",
            "I unpacked it, washed one load and it shakes the house. Do I still have time to return it?",
        ),
        (
            "Until when do we take back an opened package?",
            "open package: take back until?",
            "Colleague, there are crumbs inside, it was clearly used. What period do I quote to him?",
        ),
    ),
    "Bargain return, 8 days": (
        (
            "Within what time may sale items come back?",
            "sale goods - return period",
            "It was marked down in the clearance corner. How many days have I got to bring it in?",
        ),
        (
            "What return limit do reduced goods have?",
            "reduced price, return?",
            "I caught it at half price in your summer sale but it does not fit. Until when can I return it?",
        ),
        (
            "How long is the return window in the outlet?",
            "outlet purchase: days to return",
            "He bought a discounted show model at our outlet and regrets it. What time does he have?",
        ),
        (
            "Clearance stock: in how many days must it be returned?",
            "clearance, return limit",
            "My bargain from the red-label shelf goes back. Is there a special deadline for bargains?",
        ),
        (
            "By when must something bought at a discount come back?",
            "bought at discount, return by",
            "The voucher week made it so cheap that I could not resist, now I regret it. How long do I have?",
        ),
        (
            "Which return period do special offers have?",
            "special offer: return period?",
            "Shop floor here: a man brings back last week's special offer. What is the limit for those?",
        ),
    ),
}
