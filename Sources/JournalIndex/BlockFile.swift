import CZlib
import Glibc

/// A compressed journal: gzip members (RFC 1952) one after the other, each a block of whole lines. `zcat` reads it, and
/// a reader that looks for one line inflates only the block that has it.
///
/// Each member says in its extra field how long it is and where its octets stand in the journal. The last one is empty
/// and says the length of the whole, and by which number its beginning is known again.
enum BlockFile {
    /// One member.
    struct Block {
        /// The place in the journal at which its octets begin.
        let begin: Int
        /// The place in the file at which the member begins.
        let place: Int
        /// Octets of the member.
        let length: Int
    }

    /// Octets of the journal in one block, at most a line more.
    static let blockOctets = 1 << 17
    private static let headerOctets = 36
    private static let trailerOctets = 8
    private static let footerOctets = headerOctets + 2 + trailerOctets

    // MARK: - Writing

    /// Returns the member for `octets`, which begin at `begin` in the journal.
    static func member(_ octets: UnsafeRawBufferPointer, begin: Int) -> [UInt8]? {
        member(octets, number: begin, total: 0)
    }

    /// Returns the last member of a journal of `total` octets.
    static func lastMember(total: Int, fingerprint: Int64) -> [UInt8]? {
        member(UnsafeRawBufferPointer(start: nil, count: 0), number: Int(fingerprint), total: total)
    }

    private static func member(_ octets: UnsafeRawBufferPointer, number: Int, total: Int) -> [UInt8]? {
        guard let body = deflated(octets) else { return nil }
        var member: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3]
        append(24, octets: 2, to: &member)
        member += Array("SE".utf8)
        append(20, octets: 2, to: &member)
        append(headerOctets + body.count + trailerOctets, octets: 4, to: &member)
        append(number, octets: 8, to: &member)
        append(total, octets: 8, to: &member)
        member += body
        let base = octets.bindMemory(to: UInt8.self).baseAddress
        let sum = octets.isEmpty ? 0 : crc32(0, base, UInt32(octets.count))
        append(Int(sum), octets: 4, to: &member)
        append(octets.count, octets: 4, to: &member)
        return member
    }

    private static func append(_ number: Int, octets: Int, to member: inout [UInt8]) {
        for index in 0..<octets { member.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }

    private static func deflated(_ octets: UnsafeRawBufferPointer) -> [UInt8]? {
        var stream = z_stream()
        guard czlib_begin_deflate(&stream) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var body = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(octets.count))) + 16)
        stream.next_in = UnsafeMutablePointer(mutating: octets.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(octets.count)
        let isWhole = body.withUnsafeMutableBufferPointer { room in
            stream.next_out = room.baseAddress
            stream.avail_out = UInt32(room.count)
            return deflate(&stream, Z_FINISH) == Z_STREAM_END
        }
        guard isWhole else { return nil }
        return Array(body.prefix(Int(stream.total_out)))
    }

    // MARK: - Reading

    /// The length of the journal in the file; nil if it is not such a file, or not whole.
    static func total(_ file: UnsafeRawBufferPointer) -> Int? {
        guard file.count >= footerOctets, let last = header(file, at: file.count - footerOctets),
            last.length == footerOctets
        else { return nil }
        return number(file, at: file.count - footerOctets + 28, octets: 8)
    }

    /// The number that ``lastMember(total:fingerprint:)`` was given; of a file that has a total.
    static func fingerprint(_ file: UnsafeRawBufferPointer) -> Int64 {
        Int64(number(file, at: file.count - footerOctets + 20, octets: 8))
    }

    /// The blocks of the file, without the last one; nil if it is damaged.
    static func blocks(_ file: UnsafeRawBufferPointer) -> [Block]? {
        var blocks: [Block] = []
        var place = 0
        while place < file.count - footerOctets {
            guard let block = header(file, at: place), block.length > headerOctets + trailerOctets else { return nil }
            blocks.append(block)
            place += block.length
        }
        return place == file.count - footerOctets ? blocks : nil
    }

    private static func header(_ file: UnsafeRawBufferPointer, at place: Int) -> Block? {
        guard place >= 0, place + headerOctets <= file.count, file[place] == 0x1F, file[place + 1] == 0x8B,
            file[place + 3] == 4, file[place + 12] == UInt8(ascii: "S"), file[place + 13] == UInt8(ascii: "E")
        else { return nil }
        let length = number(file, at: place + 16, octets: 4)
        guard length >= footerOctets, place + length <= file.count else { return nil }
        return Block(begin: number(file, at: place + 20, octets: 8), place: place, length: length)
    }

    private static func number(_ file: UnsafeRawBufferPointer, at place: Int, octets: Int) -> Int {
        (0..<octets).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) }
    }

    /// The octets of a block; nil if it is damaged.
    static func octets(of block: Block, in file: UnsafeRawBufferPointer) -> [UInt8]? {
        let end = block.place + block.length
        let count = number(file, at: end - 4, octets: 4)
        guard count <= 2 * blockOctets + maximumLine else { return nil }
        var octets = [UInt8](repeating: 0, count: count)
        var stream = z_stream()
        guard czlib_begin_inflate(&stream) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        let body = UnsafeRawBufferPointer(rebasing: file[(block.place + headerOctets)..<(end - trailerOctets)])
        stream.next_in = UnsafeMutablePointer(mutating: body.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(body.count)
        let isWhole = octets.withUnsafeMutableBufferPointer { room in
            stream.next_out = room.baseAddress
            stream.avail_out = UInt32(room.count)
            return inflate(&stream, Z_FINISH) == Z_STREAM_END
        }
        guard isWhole, Int(stream.total_out) == count else { return nil }
        let sum = octets.isEmpty ? 0 : octets.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32(count)) }
        return Int(sum) == number(file, at: end - 8, octets: 4) ? octets : nil
    }

    /// Octets of the longest line that is read.
    static let maximumLine = 1 << 22
}
