import Octets
import PDFStructure

/// All signatures of one file, each judged.
struct SignatureCollection {
    /// More than a document is signed in practice; each costs a look at all objects when something follows it.
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

        var judged: [(signature: PDFSignature, place: Int)] = []
        let values = Set(fields.compactMap { $0.value.reference?.number })
        for field in fields {
            var (signature, place) = try judgement(of: field, values, isCertification: certified == field.value)
            if uses[field.value] != 1 { signature.isInvalid("the signature is the value of several fields") }
            if names[field.name] != 1 { signature.isInvalid("several signature fields have this name") }
            judged.append((signature, place))
        }
        judged += try strays(besides: fields).map { ($0, Int.max) }
        judged.sort { ($0.signature.revisionLength ?? .max, $0.place) < ($1.signature.revisionLength ?? .max, $1.place) }
        for index in judged.indices.dropFirst() where judged[index].signature.revisionLength != nil {
            if judged[index].signature.revisionLength == judged[index - 1].signature.revisionLength {
                judged[index].signature.isInvalid("the byte range ends where another signature's does")
                judged[index - 1].signature.isInvalid("the byte range ends where another signature's does")
            }
        }
        return judged.map(\.signature)
    }

    /// The signature, and where its dictionary stands.
    private func judgement(
        of field: FilledField, _ values: Set<Int>, isCertification: Bool
    ) throws(PDFSyntaxError) -> (PDFSignature, Int) {
        var signature = PDFSignature()
        signature.fieldName = field.name
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
            return (signature, .max)
        }
        var judgement = SignatureJudgement(
            file: file, field: field, home: home, dictionary: dictionary, signature: signature)
        try judgement.run(values, isCertification: isCertification)
        return (judgement.signature, home.extent.lowerBound)
    }

    /// What looks like a signature, and no signature field of the form leads to it.
    private func strays(besides fields: [FilledField]) throws(PDFSyntaxError) -> [PDFSignature] {
        var known = Set(fields.compactMap { $0.value.reference?.number ?? $0.number })
        // A right of use that some forms carry (§12.8.2.3) has the form of a signature and is nobody's.
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
}
