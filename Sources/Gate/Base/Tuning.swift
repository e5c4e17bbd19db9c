import RelayLink

/// The numbers that shape a gate, each with what it trades.
package enum Tuning {
    /// Connections that have not shown the token yet. A newcomer beyond them costs the oldest its place, so
    /// that a flood of strangers cannot keep out somebody who knows what to say and says it at once. Enough for fifty
    /// kernels that are started and probed at the same moment.
    package static let mostStrangers = 256

    /// How long a stranger may take to show the token. A real peer needs three round trips.
    package static let strangerDeadline: Duration = .seconds(10)

    /// How long a connection that has shown the token is held for a kernel that does not listen yet. A large
    /// Python environment on a cold disk takes most of it; the relay tries again afterwards.
    package static let kernelDeadline: Duration = .seconds(60)

    /// Between two looks whether the kernel listens. What is lost of the launch is half of it; a look costs
    /// one refused connect, about two microseconds.
    package static let kernelRetry: Duration = .milliseconds(5)

    /// The largest metadata that a handshake may carry. libzmq sends under 300 bytes.
    package static let largestMetadata = 16 * 1024

    /// After a refusal was sent, how long the stranger may take to read it and hang up.
    package static let refusalLinger: Duration = .seconds(1)

    /// When one side of a connection has ended, how long the other may move nothing before it is closed too.
    package static let halfOpenSilence: Duration = .seconds(30)

    /// Bytes read at once. Larger saves system calls, until it no longer fits the cache beside everything else.
    package static let readSize = 128 * 1024

    /// Bytes that one direction moves before all others have a turn: about 0.2 ms of copying, which is what a
    /// 200 MB output may cost an interrupt.
    package static let turnBytes = 512 * 1024

    /// What a pipe between two spliced sockets may hold; 1 MiB is what any user may ask for.
    package static let pipeSize: Int32 = 1 << 20

    /// Of a kernel's stdout and stderr together, kept for whoever asks why it ended.
    package static let tailBytes = 64 * 1024

    /// Raw output in one message; base64 makes it a third larger.
    package static let outputBytes = 32 * 1024

    /// Bytes that a link may owe its reader before the kernels' raw output is left in their pipes.
    package static let linkBacklog = 1 << 20

    /// And how few it must owe until that is read again: more than streams always leave there (`StreamLimits.backlog` and a
    /// piece), or they would keep it from ever being read.
    package static let linkRelief = 2 * StreamLimits.backlog

    /// Beyond this the reader is not slow but gone, and the link is closed.
    package static let linkLimit = 8 << 20

    /// How long streams wait for another link when theirs is lost: longer than relayd looks for its gate. Nothing of
    /// their kernels gets out meanwhile, and up to a window of each is kept.
    package static let streamsWait: Duration = .seconds(45)

    /// How long a new link may take to say hello, and how many may be about to.
    package static let helloDeadline: Duration = .seconds(10)
    package static let mostWaitingLinks = 8

    /// Ended kernels that are remembered for a link that comes back, the oldest forgotten first.
    package static let mostEnded = 32

    /// What a kernel leaves running when it ends by itself gets a SIGTERM, and this long to follow it.
    package static let orphanGrace: Duration = .milliseconds(300)

    /// How often a tree that is being ended is looked at, and for how long after SIGKILL before the gate
    /// gives up on a process that the system does not let go of.
    package static let treeLook: Duration = .milliseconds(5)
    package static let treeLimit: Duration = .seconds(10)

    /// By how much a use of the kernels must be later than the last that `hold` was told of, in milliseconds: no more than
    /// two wake-ups a second, and nothing against the shortest time that can be set.
    package static let useStep: Int64 = 500

    /// Gates of one container that `hold` listens to, one for each user of it and of the host: beyond any that is meant.
    package static let mostGates = 64

    /// How long gates have to end their kernels before the container ends under them: their grace, and a little more.
    package static let gatesEnd: Duration = .seconds(6)
    package static let heldGrace: Duration = .milliseconds(2500)

    /// How often a gate without a link looks whether somebody is connected to its kernels: each costs a call or two, and
    /// the shortest idle time that a container can have is a second.
    package static let absenceLook: Duration = .milliseconds(500)

    /// The longest time, in milliseconds, that `hold` sleeps: by so much it may be late after the machine has slept.
    package static let longestRest: Int64 = 60_000

    /// How long the pipes of a kernel without processes are read for last words.
    package static let lastWords: Duration = .milliseconds(500)
}
