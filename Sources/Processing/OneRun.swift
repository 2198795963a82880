import Octets

extension OctetCollectorMaking {
    /// The octets of `source` in one run: themselves where they are that already, else collected.
    ///
    /// - Parameter subject: What it is that could not be kept, for a failure.
    func oneRun(of source: any OctetSource, _ subject: String) throws(Failure) -> OctetString {
        if let whole = source as? OctetString { return whole }
        if let rope = source as? OctetRope, rope.pieces.count == 1, let whole = rope.pieces[0] as? OctetString {
            return whole
        }
        do {
            var collector = try makeCollector()
            try source.forEachChunk { (chunk) throws(OctetCollectionError) in try collector.append(chunk) }
            return try collector.finish()
        } catch {
            throw Failure(error, subject)
        }
    }
}
