"""The server: base and tuned models of finished runs, behind OpenAI's interface, and the engine that `chat` uses too.

    serve/
    |- names      run folders -> model names: `base`, NAME, NAME@0.5
    |- question   what an answer is asked with, and what comes back piece by piece
    |- sampler    logits -> tokens and their log probabilities, each row by its own settings
    |- transcript tokens -> text as it may be shown: whole characters, nothing of a stop string
    |- row        an answer under way
    |- engine     one thread that owns the model; a bounded queue; rows that come and go
    |- load       run folders -> an engine
    |- sides      the proof that base and tuned are what they are called
    |- talk       a conversation with both sides, for the terminal
    |- schema     the bodies of requests and responses
    |- wording    pieces -> JSON and events
    |- faults     errors in OpenAI's shape
    |- exchange   one question over HTTP
    |- guard      who may ask: token, Host, Origin, size, time
    |- app        the routes
    |- metrics    what Prometheus reads
    |- listen     address, signals, a clean end
    `- heavy      the command of a server for many users

In: run folders, nothing else. Out: HTTP, or pieces of answers. Nothing is written.
"""
