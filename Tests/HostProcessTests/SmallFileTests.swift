import Glibc
import HostProcess
import Octets
import TestSupport
import Testing

@Suite("Small files")
struct SmallFileTests {
    @Test("a FIFO in the place of a file is refused at once")
    func fifo() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/fifo"
        try #require(mkfifo(path, 0o600) == 0)
        guard case .failure(let error) = SmallFile.read(path) else { return #expect(Bool(false), "it was read") }
        #expect(error.description.hasSuffix("it is not a regular file"))
    }

    @Test("a directory and a device are not files either")
    func others() throws {
        let scratch = try ScratchDirectory()
        for path in [scratch.path, "/dev/zero"] {
            guard case .failure = SmallFile.read(path) else { return #expect(Bool(false), "\(path) was read") }
        }
    }

    @Test("a file is read up to the limit, and refused beyond it")
    func limit() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/file"
        try #require(OctetString("12345").write(to: path))
        guard case .success(let octets) = SmallFile.read(path, limit: 5) else { return #expect(Bool(false)) }
        #expect(octets == OctetString("12345"))
        guard case .failure = SmallFile.read(path, limit: 4) else { return #expect(Bool(false), "it was read") }
    }
}

extension OctetString {
    fileprivate func write(to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) == count }
    }
}
