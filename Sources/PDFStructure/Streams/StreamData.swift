import Octets

/// Decodes the streams that hold structure: cross-references, objects and validation data. Others are never decoded.
enum StreamData {
    /// Undoes FlateDecode and its PNG predictors; other filters are not used by writers for structure.
    static func decoded(
        _ data: OctetString, _ dictionary: PDFDictionary, limit: Int, budget: WorkBudget
    ) throws(PDFSyntaxError) -> [UInt8] {
        let (filter, parameters) = try single(dictionary)
        var octets: [UInt8]
        switch filter {
        case nil:
            guard data.count <= limit else {
                throw PDFSyntaxError(.tooComplex, "a stream of more than \(limit) octets")
            }
            try budget.spend(data.count)
            octets = data.array
        case "FlateDecode":
            try budget.spend(data.count)
            octets = try Inflation.zlib(data, limit: limit)
            try budget.spend(octets.count)
        default: throw PDFSyntaxError(.unsupported, "structure compressed by \(filter ?? "") is not read")
        }
        switch parameters["Predictor"].integer ?? 1 {
        case 1: break
        case 10...15: octets = try unpredicted(octets, parameters)
        default: throw PDFSyntaxError(.unsupported, "structure with a predictor other than PNG's is not read")
        }
        return octets
    }

    private static func single(_ dictionary: PDFDictionary) throws(PDFSyntaxError) -> (String?, PDFDictionary) {
        func first(_ value: PDFValue) throws(PDFSyntaxError) -> PDFValue {
            guard case .array(let items) = value else { return value }
            guard items.count <= 1 else { throw PDFSyntaxError(.unsupported, "structure with two filters is not read") }
            return items.first ?? .null
        }
        let filter = try first(dictionary["Filter"])
        let parameters = try first(dictionary["DecodeParms"])
        guard filter == .null || filter.name != nil, parameters == .null || parameters.dictionary != nil else {
            throw .damaged("a stream's /Filter or /DecodeParms is broken")
        }
        return (filter.name, parameters.dictionary ?? PDFDictionary())
    }

    /// PNG's filters, one octet a sample (RFC 2083 §6; ISO 32000-1 §7.4.4.4).
    private static func unpredicted(
        _ octets: [UInt8], _ parameters: PDFDictionary
    ) throws(PDFSyntaxError) -> [UInt8] {
        let columns = parameters["Columns"].integer ?? 1
        guard (1...4_096).contains(columns), (parameters["Colors"].integer ?? 1) == 1,
            (parameters["BitsPerComponent"].integer ?? 8) == 8
        else { throw PDFSyntaxError(.unsupported, "structure with an unusual predictor is not read") }
        guard octets.count % (columns + 1) == 0 else { throw .damaged("a stream's last predicted row is not whole") }
        var result: [UInt8] = []
        result.reserveCapacity(octets.count)
        var above = [UInt8](repeating: 0, count: columns)
        for row in stride(from: 0, to: octets.count, by: columns + 1) {
            var left = 0
            var cornerBefore = 0
            for column in 0..<columns {
                let up = Int(above[column])
                let added =
                    switch octets[row] {
                    case 0: 0
                    case 1: left
                    case 2: up
                    case 3: (left + up) / 2
                    case 4: paeth(left, up, cornerBefore)
                    default: throw PDFSyntaxError.damaged("a stream with an unknown predictor")
                    }
                let octet = octets[row + 1 + column] &+ UInt8(added)
                cornerBefore = up
                left = Int(octet)
                above[column] = octet
                result.append(octet)
            }
        }
        return result
    }

    private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let estimate = left + up - corner
        let (a, b, c) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
        return a <= b && a <= c ? left : b <= c ? up : corner
    }
}
