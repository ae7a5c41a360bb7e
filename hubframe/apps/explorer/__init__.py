"""An application for notebooks to click through repositories, tags and what is in them.

`model` is what is looked for and chosen, `panels` what there is to see, `work` fetches while the
kernel is free, and `session` is what happens when a person does something; none of them knows of
widgets. `view` shows a session by its `sections`.
"""
