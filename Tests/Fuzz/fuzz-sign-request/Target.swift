import DSSXML
import Fuzzing
import Octets

/// Reads the input as the body of a request to `ses-dss`, whole and in pieces.
@main
enum RequestTarget {
    static func main() {
        Fuzzing.run { octets in
            let whole = read(octets, size: max(octets.count, 1))
            let pieces = read(octets, size: 7)
            Fuzzing.require(whole == pieces, "pieces of 7 octets change the request: \(whole), \(pieces)")
        }
    }

    private static func read(_ octets: OctetString, size: Int) -> String {
        do throws(DSSServerRequestError) {
            let reader = try DSSServerRequestReader(documents: MemoryCollecting(limit: 1 << 20))
            var start = 0
            while start < octets.count {
                let end = min(start + size, octets.count)
                try octets.slice(start..<end).withUnsafeBytes { (piece) throws(DSSServerRequestError) in
                    try reader.feed(piece)
                }
                start = end
            }
            return "\(try reader.finish())"
        } catch {
            return "refused: \(error)"
        }
    }
}
