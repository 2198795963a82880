import Octets
import PDFStructure

/// All signatures of one file, each judged.
struct SignatureCollection {
    /// More than the signatures of a real document; each costs a look at all objects if something follows it.
    static let most = 64

    let file: PDFFile

    func signatures() throws(PDFSyntaxError) -> [PDFSignature] {
        let fields = try SignatureFields.filled(in: file, revision: 0)
        guard fields.count <= Self.most else { throw PDFSyntaxError(.tooComplex, "more than \(Self.most) signatures") }
        var uses: [PDFValue: Int] = [:]
        var names: [String: Int] = [:]
        for field in fields {
            uses[field.value, default: 0] += 1
            names[field.name, default: 0] += 1
        }
        let certified = try file.resolved(file.catalog(in: 0)["Perms"], in: 0).dictionary?["DocMDP"] ?? .null

        var judged: [(signature: PDFSignature, place: Int, home: Range<Int>?)] = []
        let values = Set(fields.compactMap { $0.value.reference?.number })
        for field in fields {
            var (signature, home) = try judgement(of: field, values, isCertification: certified == field.value)
            if uses[field.value] != 1 { signature.isInvalid("the signature is the value of several fields") }
            if names[field.name] != 1 { signature.isInvalid("several signature fields have this name") }
            judged.append((signature, home?.lowerBound ?? .max, home))
        }
        judged += try strays(besides: fields).map { ($0, .max, nil) }
        if let signature = try passedOver(judged.compactMap(\.signature.revisionLength).max() ?? 0, judged.map(\.home))
        {
            judged.append((signature, .max, nil))
        }
        judged.sort {
            ($0.signature.revisionLength ?? .max, $0.place) < ($1.signature.revisionLength ?? .max, $1.place)
        }
        for index in judged.indices.dropFirst() where judged[index].signature.revisionLength != nil {
            if judged[index].signature.revisionLength == judged[index - 1].signature.revisionLength {
                judged[index].signature.isInvalid("the byte range ends where another signature's does")
                judged[index - 1].signature.isInvalid("the byte range ends where another signature's does")
            }
        }
        return judged.map(\.signature)
    }

    /// The signature, and where the object of its dictionary stands.
    private func judgement(
        of field: FilledField, _ values: Set<Int>, isCertification: Bool
    ) throws(PDFSyntaxError) -> (PDFSignature, Range<Int>?) {
        var signature = PDFSignature()
        // Strings of an encrypted document are encrypted, /Contents alone is not.
        if file.sections[0].trailer["Encrypt"] == .null { signature.fieldName = field.name }
        let home: IndirectObject?
        if let reference = field.value.reference {
            home = try file.object(reference.number, in: 0)
        } else if let number = field.number {
            home = try file.object(number, in: 0)
        } else {
            home = nil
        }
        guard let home, let dictionary = try file.resolved(field.value, in: 0).dictionary else {
            signature.isInvalid("no signature value: the value of the field is no dictionary of its own")
            return (signature, nil)
        }
        var judgement = SignatureJudgement(
            file: file, field: field, home: home, dictionary: dictionary, signature: signature)
        try judgement.run(values, isCertification: isCertification)
        return (judgement.signature, home.extent)
    }

    /// Returns dictionaries that look like signatures and to which no signature field of the form leads.
    private func strays(besides fields: [FilledField]) throws(PDFSyntaxError) -> [PDFSignature] {
        var known = Set(fields.compactMap { $0.value.reference?.number ?? $0.number })
        // A right of use that some forms carry (§12.8.2.3) has the form of a signature and is not a person's signature.
        let rights = try file.resolved(file.catalog(in: 0)["Perms"], in: 0).dictionary
        for key in ["UR", "UR3"] {
            if let number = rights?[key].reference?.number { known.insert(number) }
        }
        let carriers = try file.census(of: 0, counting: []).byteRangeCarriers.subtracting(known)
        return carriers.sorted().prefix(Self.most).map { number in
            var signature = PDFSignature()
            signature.isInvalid("object \(number) holds a signature that no signature field of the document leads to")
            return signature
        }
    }

    /// Returns a signature in the file's octets that its present objects do not hold, if there is one.
    ///
    /// Somebody who removes a signature by an update could as well have cut it off. But it was there, and the rest of
    /// the document was not signed in this state. If somebody signed the document without it later, that signature
    /// counts.
    /// - Parameters:
    ///   - end: The end of the longest signed revision.
    ///   - homes: The places of the objects of signatures.
    private func passedOver(_ end: Int, _ homes: [Range<Int>?]) throws(PDFSyntaxError) -> PDFSignature? {
        var next = ByteRangeName.offset(in: file.document, from: end)
        while let offset = next {
            if let home = homes.compactMap(\.self).first(where: { $0.contains(offset) }) {
                next = ByteRangeName.offset(in: file.document, from: home.upperBound)
            } else if let object = try file.uncompressedObject(around: offset) {
                // In an object it was counted with the objects, and in a stream it is the text of an embedded file.
                next = ByteRangeName.offset(in: file.document, from: object.upperBound)
            } else {
                var signature = PDFSignature()
                signature.isInvalid("a signature at octet \(offset) was removed by a later update")
                return signature
            }
        }
        return nil
    }
}
