"""Several providers for one stage of a call: when one fails, the next goes on."""
