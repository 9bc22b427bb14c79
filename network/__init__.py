"""Brings a real multi-organisation Fabric network up, down and through faults."""
