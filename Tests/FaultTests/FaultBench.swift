import Testing

/// The built programs on machines at fault. One after another, because time limits and shares of the processor must
/// mean something.
@Suite("Machines at fault", .serialized)
enum FaultBench {}
