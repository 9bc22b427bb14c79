"""Fabric's words, each once: what is hashed, signed and stored, in Fabric's own messages. No I/O."""
