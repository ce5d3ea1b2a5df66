"""Options that several verbs take."""
