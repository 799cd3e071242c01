"""How few colours mix in the eye: pixels put into a palette so that their neighbourhoods keep their colours."""
