import Testing

/// Tests that take the machine for themselves: one after the other, each a suite in here.
@Suite(.serialized) struct HeavyTests {}
