package import Octets

/// Undoes the deflate compression (RFC 1951) in memory, with a limit, so that no few octets become endless ones.
package struct Inflation {
    private let input: UnsafeRawBufferPointer
    private var position: Int
    private var bits: UInt64 = 0
    private var bitCount = 0
    private var output: [UInt8] = []
    private let limit: Int

    /// Returns the content of data in zlib's format (RFC 1950). Its checksum is not compared, as in all PDF readers.
    /// - Parameter limit: The most octets that may come out.
    /// - Throws: ``PDFSyntaxError``: broken, or `tooComplex` above the limit.
    package static func zlib(_ compressed: OctetString, limit: Int) throws(PDFSyntaxError) -> [UInt8] {
        try compressed.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            guard octets.count >= 2, octets[0] & 15 == 8, octets[1] & 0x20 == 0,
                (Int(octets[0]) << 8 | Int(octets[1])) % 31 == 0
            else { throw .damaged("compressed data without the beginning of zlib's format") }
            var inflation = Inflation(input: octets, position: 2, limit: limit)
            try inflation.run()
            return inflation.output
        }
    }

    private init(input: UnsafeRawBufferPointer, position: Int, limit: Int) {
        self.input = input
        self.position = position
        self.limit = limit
    }

    private mutating func run() throws(PDFSyntaxError) {
        var isLast = false
        while !isLast {
            isLast = try readBits(1) == 1
            switch try readBits(2) {
            case 0: try stored()
            case 1: try compressed(Self.fixedLengths, Self.fixedDistances)
            case 2:
                let (lengths, distances) = try dynamicCodes()
                try compressed(lengths, distances)
            default: throw .damaged("compressed data with an unknown kind of block")
            }
        }
    }

    private mutating func fill(_ count: Int) {
        while bitCount < count, position < input.count {
            bits |= UInt64(input[position]) << UInt64(bitCount)
            position += 1
            bitCount += 8
        }
    }

    private mutating func readBits(_ count: Int) throws(PDFSyntaxError) -> Int {
        fill(count)
        guard bitCount >= count else { throw .damaged("compressed data ends too early") }
        let value = Int(bits & ((1 << UInt64(count)) - 1))
        bits >>= UInt64(count)
        bitCount -= count
        return value
    }

    private func checkRoom(_ count: Int) throws(PDFSyntaxError) {
        if output.count + count > limit {
            throw PDFSyntaxError(.tooComplex, "compressed data of more than \(limit) octets")
        }
    }

    private mutating func stored() throws(PDFSyntaxError) {
        bits >>= UInt64(bitCount & 7)
        bitCount -= bitCount & 7
        let length = try readBits(16)
        guard try readBits(16) == length ^ 0xFFFF else { throw .damaged("compressed data with a broken stored block") }
        try checkRoom(length)
        for _ in 0..<length { output.append(UInt8(try readBits(8))) }
    }

    private mutating func compressed(_ lengths: Code, _ distances: Code) throws(PDFSyntaxError) {
        while true {
            let symbol = try decode(lengths)
            if symbol < 256 {
                try checkRoom(1)
                output.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol <= 285 else { throw .damaged("compressed data with an unknown length") }
            let (baseLength, lengthBits) = Self.lengthCodes[symbol - 257]
            let length = baseLength + (try readBits(lengthBits))
            let place = try decode(distances)
            guard place < 30 else { throw .damaged("compressed data with an unknown distance") }
            let (baseDistance, distanceBits) = Self.distanceCodes[place]
            let distance = baseDistance + (try readBits(distanceBits))
            guard distance <= output.count else { throw .damaged("compressed data that repeats what was not there") }
            try checkRoom(length)
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    private mutating func dynamicCodes() throws(PDFSyntaxError) -> (Code, Code) {
        let lengthCount = try readBits(5) + 257
        let distanceCount = try readBits(5) + 1
        let orderCount = try readBits(4) + 4
        var orders = [UInt8](repeating: 0, count: 19)
        for index in 0..<orderCount { orders[Self.order[index]] = UInt8(try readBits(3)) }
        let code = try Code(orders)
        var lengths: [UInt8] = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try decode(code)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw .damaged("compressed data that repeats no length") }
                lengths += [UInt8](repeating: last, count: try readBits(2) + 3)
            case 17: lengths += [UInt8](repeating: 0, count: try readBits(3) + 3)
            case 18: lengths += [UInt8](repeating: 0, count: try readBits(7) + 11)
            default: lengths.append(UInt8(symbol))
            }
        }
        guard lengths.count == lengthCount + distanceCount else {
            throw .damaged("compressed data with too many code lengths")
        }
        return (try Code(lengths[..<lengthCount]), try Code(lengths[lengthCount...]))
    }

    /// One symbol, bit by bit: the codes of one length follow one another, so that counting finds the place.
    private mutating func decode(_ code: Code) throws(PDFSyntaxError) -> Int {
        fill(Code.longest)
        var place = 0
        var first = 0
        var passed = 0
        for length in 1...Code.longest {
            place |= Int(bits >> UInt64(length - 1)) & 1
            let count = code.counts[length]
            if place - first < count {
                guard length <= bitCount else { break }
                bits >>= UInt64(length)
                bitCount -= length
                return code.symbols[passed + place - first]
            }
            passed += count
            first = (first + count) << 1
            place <<= 1
        }
        throw .damaged("compressed data with an unknown code")
    }

    /// A canonical Huffman code (RFC 1951 §3.2.2): how many codes have each length, and their symbols in order.
    private struct Code {
        static let longest = 15
        var counts = [Int](repeating: 0, count: longest + 1)
        var symbols: [Int]

        init(_ lengths: some Collection<UInt8>) throws(PDFSyntaxError) {
            for length in lengths where length > 0 { counts[Int(length)] += 1 }
            var room = 1
            var places = [Int](repeating: 0, count: Self.longest + 2)
            for length in 1...Self.longest {
                room = (room << 1) - counts[length]
                guard room >= 0 else { throw .damaged("compressed data with an impossible code") }
                places[length + 1] = places[length] + counts[length]
            }
            symbols = [Int](repeating: 0, count: places[Self.longest + 1])
            for (symbol, length) in lengths.enumerated() where length > 0 {
                symbols[places[Int(length)]] = symbol
                places[Int(length)] += 1
            }
        }
    }

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private static let fixedLengths = fixed(
        [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112) + [UInt8](repeating: 7, count: 24)
            + [UInt8](repeating: 8, count: 8))
    private static let fixedDistances = fixed([UInt8](repeating: 5, count: 30))

    private static func fixed(_ lengths: [UInt8]) -> Code {
        do throws(PDFSyntaxError) { return try Code(lengths) } catch { preconditionFailure("\(error)") }
    }

    /// RFC 1951 §3.2.5: the first value and the extra bits of each code.
    private static let lengthCodes: [(Int, Int)] = {
        var codes: [(Int, Int)] = []
        var base = 3
        for index in 0..<28 {
            let extra = index < 8 ? 0 : index / 4 - 1
            codes.append((base, extra))
            base += 1 << extra
        }
        return codes + [(258, 0)]
    }()
    private static let distanceCodes: [(Int, Int)] = {
        var codes: [(Int, Int)] = []
        var base = 1
        for index in 0..<30 {
            let extra = index < 4 ? 0 : index / 2 - 1
            codes.append((base, extra))
            base += 1 << extra
        }
        return codes
    }()
}
