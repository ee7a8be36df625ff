"""Quotas of free tiers: windows in the provider's calendar, what answers say of them, presets."""
