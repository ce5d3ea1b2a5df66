"""What verbs print for people, one file a subject; each gives rich renderables and asks the host nothing."""
