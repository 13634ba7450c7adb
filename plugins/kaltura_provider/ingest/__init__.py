"""One source item becomes one Kaltura entry, exactly once: identity, ledger, decision, claim, confirmation."""
