"""From words to sound: engines that speak, and what they have spoken, kept on disk. [io]

`store.SpeechStore` is what calls ask (`pbx.call.speaking.Speaker`). It finds files (`files`,
`recorded`), keeps what was rendered (`cache`), chooses who speaks (`engines`) and gives the work to
a process of its own (`desk` on this side, the package `studio` on the other), since arrays of
samples and models of voices have no place where calls are made.
"""
