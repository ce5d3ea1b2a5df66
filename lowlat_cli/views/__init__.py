"""Terminal output of the verbs, one file per subject. Views return rich renderables and never query the host."""
