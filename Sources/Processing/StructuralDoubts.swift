import InternetMessage

extension Message {
    /// Two readings of the part at `path`, or of what is around it, that differ in its octets, its name, or in which
    /// parts there are.
    ///
    /// The verifying side does not trust such a part, so the signing side does not sign it.
    func structuralDoubts(at path: Entity.Path) -> [String] {
        guard let entity = root.entity(at: path) else { return [] }
        var ambiguities = entity.structuralAmbiguities(called: "the part")
        for depth in path.indices {
            guard let around = root.entity(at: Array(path[..<depth])) else { continue }
            ambiguities += around.structuralAmbiguities(called: depth == 0 ? "the message" : "a multipart around it")
        }
        return ambiguities
    }
}
