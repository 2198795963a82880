/// Octets that a reader has made and not yet handed out.
package struct PendingOctets {
    private var octets: [UInt8] = []
    private var taken = 0

    package init() {}

    package var isEmpty: Bool { taken == octets.count }

    /// Takes `octets` as the next to be handed out; what there was is gone.
    package mutating func refill(_ octets: [UInt8]) {
        self.octets = octets
        taken = 0
    }

    /// Moves as much as fits to the front of `buffer`.
    /// - Returns: The number of octets; 0 if there are none.
    package mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let moved = min(buffer.count, octets.count - taken)
        octets.withUnsafeBytes { buffer.copyMemory(from: $0.part(taken..<taken + moved)) }
        taken += moved
        return moved
    }
}
