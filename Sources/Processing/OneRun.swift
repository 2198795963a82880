import Octets

extension OctetCollectorMaking {
    /// The octets of `source` in one run: themselves where they are that already, else collected.
    ///
    /// - Parameter subject: The thing that could not be kept, for a failure.
    func oneRun(of source: any OctetSource, _ subject: String) throws(Failure) -> OctetString {
        do { return try source.collected(by: self) } catch { throw Failure(error, subject) }
    }
}
