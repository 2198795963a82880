import Glibc
import HostProcess
import Testing

@Suite("Reading and writing of descriptors")
struct DescriptorIOTests {
    @Test("what a pipe cannot take at once is written and read whole")
    func whole() throws {
        let (reading, writing) = try ProgramStart.makePipe()
        defer { close(reading) }
        let octets = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        OwnThread.start("writer") {
            _ = DescriptorIO.writeAll(octets, to: writing)
            close(writing)
        }
        var read: [UInt8] = [7]
        #expect(DescriptorIO.readToEnd(reading, into: &read) == 0)
        #expect(read.first == 7 && read.dropFirst().elementsEqual(octets), "\(read.count) octets")
    }

    @Test("a failure is told by its errno")
    func failures() throws {
        let (reading, writing) = try ProgramStart.makePipe()
        var read: [UInt8] = []
        #expect(DescriptorIO.readToEnd(writing, into: &read) == EBADF)
        #expect(DescriptorIO.readMore(writing, into: &read) == -Int(EBADF))
        #expect(DescriptorIO.writeAll([1], to: reading) == EBADF)
        close(reading)
        close(writing)
    }

    @Test("a program of the house is found beside the one that runs, or not at all")
    func place() {
        #expect(ProgramStart.path(of: "ses-no-such-program") == nil)
        #expect(ProgramStart.path(of: "openssl") == "/usr/bin/openssl")
    }
}
