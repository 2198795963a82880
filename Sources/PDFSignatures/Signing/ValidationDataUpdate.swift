import Octets
import PDFStructure

/// The update that puts validation data into the document's security store (ISO 32000-2 §12.8.4.3).
struct ValidationDataUpdate {
    let source: SigningSource

    /// More than the certificates of a signature and its timestamp, with what was said of each.
    private static let maximumStreams = 96

    init(_ source: SigningSource) { self.source = source }

    /// Returns the octets to append to the document; empty if it has all of `data` already.
    func octets(adding data: PDFValidationData) throws(PDFError) -> [UInt8] {
        let store = source.catalog["DSS"]
        let isNew = try source.resolved(store) == .null
        guard let former = isNew ? PDFDictionary() : try source.dictionary(store), !former.hasDuplicates else {
            throw PDFError(.damaged, "the /DSS of the PDF is no dictionary, or has a key twice")
        }
        let present = try validationData()
        let new = PDFValidationData.kinds.map { kind in
            (kind.key, data[keyPath: kind.place].filter { !present[keyPath: kind.place].contains($0) })
        }
        let count = new.reduce(0) { $0 + $1.1.count }
        guard count > 0 else { return [] }
        guard count <= Self.maximumStreams else {
            throw PDFError(.tooComplex, "\(count) certificates and answers about them are too many for one update")
        }
        // The streams, the store and the cross-references.
        let (free, census) = try source.freeNumbers(
            count + 2, counting: Set([store.reference?.number].compactMap(\.self)))
        // A verifier of a signature with later updates must read all of the signed content.
        if let number = census.unreadable.min() {
            throw PDFError(
                .damaged, "object \(number) of the PDF cannot be read, so that nothing can follow its signature")
        }
        var update = IncrementalUpdate(source, freeNumbers: free)
        var changes: [String: [UInt8]] = [:]
        for (key, streams) in new where !streams.isEmpty {
            let added = streams.map { Array(update.add(PDFSyntax.stream([:], $0)).description.utf8) }
            changes[key] = PDFSyntax.array(
                try source.array(former[key], "/\(key) of the /DSS").map(PDFSyntax.value) + added)
        }
        let octets = PDFSyntax.dictionary(former, setting: changes)
        if let own = store.reference, !isNew, census.references[own.number] == 1 {
            update.set(own, octets)
        } else {
            let own = update.add(octets)
            update.set(
                source.root,
                PDFSyntax.dictionary(source.catalog, setting: ["DSS": Array(own.description.utf8)]))
        }
        return update.written().octets
    }

    private func validationData() throws(PDFError) -> PDFValidationData {
        do throws(PDFSyntaxError) { return try .read(source.file) } catch { throw PDFError(error) }
    }
}
